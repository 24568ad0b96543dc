import { createReadStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { printable } from '../cli/printable.js';
import type { ReplayBegin } from '../core/model/reporter.js';
import type { CallResult, ReplaySummary } from '../core/model/verdict.js';
import { describeMismatch, describeProblem } from './comparison-text.js';
import type { ReportWriter } from './contract.js';
import { fileSink, type Sink } from './sink.js';
import { summaryLine } from './summary-line.js';

const ELEMENT_OF = {
  pass: undefined,
  ran: undefined,
  mismatch: 'failure',
  error: 'error',
  crashed: 'error',
  timeout: 'error',
  unstable: 'skipped',
  unchecked: 'skipped',
  skipped: 'skipped',
} as const;

/**
 * JUnit's XML, as CI systems read it. The counts stand before the cases, so the cases wait in a temporary file:
 * a replay of any length is never held in memory.
 */
export class JunitReporter implements ReportWriter {
  readonly name = 'junit';
  readonly #sink: Sink;
  readonly #directory = mkdtempSync(join(tmpdir(), `fir-junit-${process.pid}-`));
  readonly #casesPath = join(this.#directory, 'cases.xml');
  readonly #cases = fileSink(this.#casesPath);
  #session = '';
  #seconds = 0;

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  onBegin({ session }: ReplayBegin): void {
    this.#session = session;
  }

  async onCallEnd(result: CallResult): Promise<void> {
    this.#seconds += (result.durationUs ?? 0) / 1e6;
    await this.#cases.write(caseElement(result));
  }

  async onEnd(summary: ReplaySummary): Promise<void> {
    const { calls, mismatch, error, crashed, timeout, unstable, unchecked, skipped } = summary;
    const counts =
      `tests="${calls}" failures="${mismatch}" errors="${error + crashed + timeout}"` +
      ` skipped="${unstable + unchecked + skipped}" time="${this.#seconds.toFixed(6)}"`;
    await this.#cases.close();
    await this.#sink.write(
      '<?xml version="1.0" encoding="UTF-8"?>\n' +
        `<testsuites ${counts}>\n<testsuite name=${attribute(`fir replay ${this.#session}`)} ${counts}>\n`,
    );
    for await (const chunk of createReadStream(this.#casesPath, 'utf8'))
      await this.#sink.write(String(chunk));
    await this.#sink.write(
      `<system-out>${escapeXml(summaryLine(summary))}</system-out>\n</testsuite>\n</testsuites>\n`,
    );
    await this.#sink.close();
    this.#removeCases();
  }

  async abandon(): Promise<boolean> {
    await this.#cases.close();
    await this.#sink.close();
    this.#removeCases();
    return false;
  }

  #removeCases(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

function caseElement(result: CallResult): string {
  const name = attribute(`call ${result.call} ${result.function}`);
  const time = ((result.durationUs ?? 0) / 1e6).toFixed(6);
  const inner = [verdictElement(result), ...streamElements(result)].join('');
  return `<testcase name=${name} classname=${attribute(result.function)} time="${time}">${inner}</testcase>\n`;
}

function verdictElement(result: CallResult): string {
  const element = ELEMENT_OF[result.verdict];
  if (element === undefined) return '';
  const message = attribute(
    result.reason === undefined ? result.verdict : `${result.verdict}: ${result.reason}`,
  );
  if (element === 'skipped') return `<skipped message=${message}/>`;
  const details = [
    ...result.outputs.filter((output) => output.verdict === 'mismatch').flatMap(describeMismatch),
    ...describeProblem(result),
    `dump: ${printable(result.dump)}`,
  ].join('\n');
  return `<${element} type="${result.verdict}" message=${message}>${escapeXml(details)}</${element}>`;
}

function streamElements({ stdout, stderr }: CallResult): string[] {
  return [
    ...(stdout === undefined || stdout === '' ? [] : [`<system-out>${escapeXml(stdout)}</system-out>`]),
    ...(stderr === undefined || stderr === '' ? [] : [`<system-err>${escapeXml(stderr)}</system-err>`]),
  ];
}

function attribute(text: string): string {
  return `"${escapeXml(text).replaceAll('\n', '&#10;').replaceAll('\t', '&#9;')}"`;
}

/** Characters that XML 1.0 allows in no form, lone surrogates among them. */
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu;

/** What XML allows and a terminal obeys: control characters, and the marks that reorder text. */
const STEERING = /[\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/g;

/** Lines that begin so are commands to a CI that reads what its jobs print. */
const CI_COMMAND = /^([ \t]*)(?=::|##\[)(.)/gm;

/** Text as XML content; forbidden characters become a visible `\xNN` or `\uNNNN`. */
function escapeXml(text: string): string {
  return text
    .replace(FORBIDDEN, (character) => {
      const code = character.charCodeAt(0).toString(16);
      return code.length > 2 ? `\\u${code}` : `\\x${code.padStart(2, '0')}`;
    })
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll('\r', '&#13;')
    .replace(STEERING, (character) => `&#${character.charCodeAt(0)};`)
    .replace(CI_COMMAND, (_, indent: string, first: string) => `${indent}&#${first.charCodeAt(0)};`);
}
