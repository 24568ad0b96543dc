import type { Paint } from '../cli/colour.js';
import { formatCount, formatDuration } from '../cli/format.js';
import { printable, printableLines } from '../cli/printable.js';
import type { ReplayBegin } from '../core/model/reporter.js';
import {
  type CallResult,
  END_STATE_NOTE,
  type OutputComparison,
  type ReplaySummary,
  type Verdict,
} from '../core/model/verdict.js';
import { describeMismatch, describeProblem } from './comparison-text.js';
import type { ReportWriter } from './contract.js';
import type { Sink } from './sink.js';
import { summaryLine } from './summary-line.js';

const SHOWN_OUTPUT_LINES = 10;

/** Where progress is shown; it makes room while a line is written. */
export interface ProgressView {
  begin(calls: number): void;
  running(call: number, functionName: string): void;
  advance(): void;
  hide(): void;
  end(): void;
}

/** Calls in a row that were skipped for one reason: a session without consent would be pages of the same line. */
interface SkippedRun {
  first: CallResult;
  last: number;
}

/** A line a call, mismatches with their numbers, and the summary as the last line. */
export class PrettyReporter implements ReportWriter {
  readonly name = 'pretty';
  readonly #sink: Sink;
  readonly #paint: Paint;
  readonly #progress: ProgressView | undefined;
  readonly #outputLines: number;
  #numberWidth = 1;
  #skipped: SkippedRun | undefined;

  constructor(
    sink: Sink,
    paint: Paint,
    options: { progress?: ProgressView | undefined; showsAllOutput?: boolean } = {},
  ) {
    this.#sink = sink;
    this.#paint = paint;
    this.#progress = options.progress;
    this.#outputLines = options.showsAllOutput === true ? Number.POSITIVE_INFINITY : SHOWN_OUTPUT_LINES;
  }

  async onBegin(begin: ReplayBegin): Promise<void> {
    this.#numberWidth = String(begin.calls).length;
    await this.#line(
      this.#paint.faint(
        printable(`replaying ${begin.session} on ${begin.device}, tolerances: ${begin.preset}`),
      ),
    );
    for (const note of begin.notes ?? []) await this.#line(`${this.#paint.warn('note:')} ${printable(note)}`);
    await this.#sink.flush();
    this.#progress?.begin(begin.calls);
  }

  onCallBegin({ call, function: functionName }: { call: number; function: string }): void {
    this.#progress?.running(call, printable(functionName));
  }

  async onCallEnd(result: CallResult): Promise<void> {
    this.#progress?.hide();
    if (!this.#joinSkipped(result)) {
      await this.#showSkipped();
      if (result.verdict === 'skipped') this.#skipped = { first: result, last: result.call };
      else await this.#show(result, String(result.call));
    }
    await this.#sink.flush();
    this.#progress?.advance();
  }

  async onEnd(summary: ReplaySummary): Promise<void> {
    this.#progress?.end();
    await this.#showSkipped();
    await this.#line('');
    const line = summaryLine(summary);
    const paint =
      summary.exitCode === 0 ? this.#paint.good : summary.exitCode === 3 ? this.#paint.warn : this.#paint.bad;
    await this.#line(paint(line));
    await this.#sink.close();
  }

  async abandon(): Promise<boolean> {
    this.#progress?.end();
    await this.#showSkipped();
    await this.#sink.close();
    return false;
  }

  #joinSkipped(result: CallResult): boolean {
    const run = this.#skipped;
    const isSame =
      run !== undefined &&
      result.verdict === 'skipped' &&
      result.call === run.last + 1 &&
      result.function === run.first.function &&
      result.reason === run.first.reason &&
      result.notes === undefined;
    if (isSame) run.last = result.call;
    return isSame;
  }

  async #showSkipped(): Promise<void> {
    const run = this.#skipped;
    this.#skipped = undefined;
    if (run === undefined) return;
    const { call } = run.first;
    await this.#show(run.first, run.last === call ? String(call) : `${call}-${run.last}`);
  }

  async #show(result: CallResult, number: string): Promise<void> {
    const name = this.#paint.strong(printable(result.function));
    const mark = this.#mark(result.verdict);
    await this.#line(`${mark} ${number.padStart(this.#numberWidth)} ${name}  ${this.#describe(result)}`);
    for (const line of this.#details(result)) await this.#line(`  ${' '.repeat(this.#numberWidth)} ${line}`);
  }

  #mark(verdict: Verdict): string {
    if (verdict === 'pass' || verdict === 'ran') return this.#paint.good('✓');
    if (verdict === 'skipped') return this.#paint.faint('-');
    return verdict === 'unchecked' || verdict === 'unstable' ? this.#paint.warn('?') : this.#paint.bad('✗');
  }

  #describe(result: CallResult): string {
    const time = result.durationUs === undefined ? [] : [formatDuration(result.durationUs)];
    const reproduced = result.reproduced === true ? ['reproduced'] : [];
    if (result.verdict === 'pass') {
      const reason = result.reason === undefined ? [] : [printable(result.reason)];
      const compared = result.outputs.length === 0 ? [] : [formatCount(result.outputs.length, 'output')];
      return this.#paint.faint([...compared, ...reason, ...reproduced, ...time].join(', '));
    }
    if (result.verdict === 'ran') return this.#paint.faint(['ran', ...time].join(', '));
    const reason = result.reason === undefined ? '' : `: ${printable(result.reason)}`;
    const word = result.verdict === 'skipped' ? result.verdict : this.#paint.strong(result.verdict);
    return [`${word}${reason}`, ...reproduced, ...time].join(', ');
  }

  #details(result: CallResult): string[] {
    const differing = result.outputs.filter((output) => output.verdict === 'mismatch');
    return [
      ...differing.flatMap((output) => describeMismatch(output)).map(printable),
      ...result.outputs.flatMap(notesOf).map((note) => this.#paint.faint(printable(note))),
      ...describeProblem(result).flatMap(printableLines),
      ...(result.notes ?? []).map((note) => `${this.#paint.warn('note:')} ${printable(note)}`),
      ...lastLines(result, this.#outputLines),
    ];
  }

  async #line(line: string): Promise<void> {
    await this.#sink.write(`${line}\n`);
  }
}

function notesOf({ key, notes = [], verdict }: OutputComparison): string[] {
  const shown = verdict === 'mismatch' ? notes : notes.filter((note) => note !== END_STATE_NOTE);
  return shown.map((note) => `${key}: ${note}`);
}

/** The end of what the worker printed: of a call that passes there is nothing, unless it was asked for. */
function lastLines(result: CallResult, count: number): string[] {
  return (['stdout', 'stderr'] as const).flatMap((name) => {
    const text = result[name];
    if (text === undefined || text === '') return [];
    const lines = printableLines(text);
    const shown = count === Number.POSITIVE_INFINITY ? lines : lines.slice(-count);
    const hidden = lines.length - shown.length;
    return [`${name}:${hidden > 0 ? ` (${hidden} lines before)` : ''}`, ...shown.map((line) => `  ${line}`)];
  });
}
