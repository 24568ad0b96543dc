import { appendFileSync } from 'node:fs';
import { printable } from '../cli/printable.js';
import type { CallResult, ReplaySummary, Verdict } from '../core/model/verdict.js';
import { describeMismatch, describeProblem } from './comparison-text.js';
import type { ReportWriter } from './contract.js';
import type { Sink } from './sink.js';
import { summaryLine } from './summary-line.js';

/** GitHub shows at most ten annotations of a kind for a step; what is beyond them goes to the summary's count. */
const MOST_ANNOTATIONS = 10;
const MOST_TABLE_ROWS = 200;

type Annotation = 'error' | 'warning' | 'notice';

const ANNOTATION_OF: Readonly<Record<Verdict, Annotation | undefined>> = {
  pass: undefined,
  ran: undefined,
  mismatch: 'error',
  error: 'error',
  crashed: 'error',
  timeout: 'error',
  unstable: 'warning',
  unchecked: 'warning',
  skipped: undefined,
};

/** Workflow commands that GitHub Actions shows as annotations, and the job's summary page where there is one. */
export class GithubReporter implements ReportWriter {
  readonly name = 'github';
  readonly #sink: Sink;
  readonly #summaryPath: string | undefined;
  readonly #rows: string[] = [];
  readonly #annotated = { error: 0, warning: 0, notice: 0 };

  /** `summaryPath` is what the runner gives as GITHUB_STEP_SUMMARY. */
  constructor(sink: Sink, summaryPath?: string) {
    this.#sink = sink;
    this.#summaryPath = summaryPath;
  }

  async onCallEnd(result: CallResult): Promise<void> {
    const annotation = ANNOTATION_OF[result.verdict];
    if (annotation === undefined) return;
    const reason = result.reason === undefined ? '' : `: ${result.reason}`;
    if (this.#rows.length < MOST_TABLE_ROWS) {
      this.#rows.push(
        `| ${result.call} | ${cell(result.function)} | ${result.verdict} | ${cell(result.reason ?? '')} |`,
      );
    }
    if (this.#annotated[annotation] >= MOST_ANNOTATIONS) return;
    this.#annotated[annotation] += 1;
    const text = [
      `${result.verdict}${reason}`,
      ...result.outputs.filter((output) => output.verdict === 'mismatch').flatMap(describeMismatch),
      ...describeProblem(result),
    ].join('\n');
    const title = escapeProperty(`fir replay: call ${result.call} ${result.function}`);
    await this.#sink.write(`::${annotation} title=${title}::${escapeData(text)}\n`);
    await this.#sink.flush();
  }

  async onEnd(summary: ReplaySummary): Promise<void> {
    const line = summaryLine(summary);
    const annotation = summary.exitCode === 0 ? 'notice' : summary.exitCode === 3 ? 'warning' : 'error';
    await this.#sink.write(`::${annotation} title=fir replay::${escapeData(line)}\n`);
    await this.#sink.close();
    if (this.#summaryPath === undefined) return;
    const table =
      this.#rows.length === 0
        ? []
        : ['', '| call | function | verdict | reason |', '| ---: | --- | --- | --- |'];
    appendFileSync(
      this.#summaryPath,
      `${['### fir replay', '', line, ...table, ...this.#rows].join('\n')}\n`,
    );
  }

  async abandon(): Promise<boolean> {
    await this.#sink.close();
    return false;
  }
}

/** The message of a workflow command: a newline would end it, and the next line could be a command of its own. */
function escapeData(text: string): string {
  const oneForm = text.replaceAll('\r\n', '\n').split('\n').map(printable).join('\n');
  return oneForm.replaceAll('%', '%25').replaceAll('\n', '%0A');
}

function escapeProperty(text: string): string {
  return printable(text).replaceAll('%', '%25').replaceAll(':', '%3A').replaceAll(',', '%2C');
}

function cell(text: string): string {
  return printable(text).replace(/[\\`*_{}[\]<>()#+!|~]/g, '\\$&');
}
