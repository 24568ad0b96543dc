import type { CaptureSummary } from '../core/capture/index.js';
import { pythonLines } from './capture-python-text.js';
import type { Paint } from './colour.js';
import { formatBytes, formatCount } from './format.js';
import { printable } from './printable.js';

const SHOWN_REASONS = 10;
const SHOWN_FUNCTIONS = 5;

/** Said once, before the program starts. `pythonLevel` is the level at which FlashInfer runs; `redact`: no values are written. */
export function privacyNotice(directory: string, pythonLevel: string, redact: boolean): string {
  if (redact) {
    const calls = `fir: calls are recorded in ${printable(directory)} without their values and texts`;
    return `${calls}; those of FlashInfer in Python are not, as it can’t leave values out\n`;
  }
  const privacy = `fir: the values of recorded arguments and results are written to ${printable(directory)}, readable by you alone\n`;
  if (Number(pythonLevel) >= 10) return privacy;
  const only = `FLASHINFER_LOGLEVEL=${printable(pythonLevel)} of the environment only logs calls in Python`;
  return `${privacy}fir: ${only}; --level 10 records them\n`;
}

/** What a capture left behind, and what to type next; for stderr. */
export function captureSummaryText(summary: CaptureSummary, level: number, paint: Paint): string {
  const lines = summary.recorded === 0 ? nothingRecorded(summary, level) : recorded(summary, paint);
  return lines.map((line) => `fir: ${line}\n`).join('');
}

function nothingRecorded({ reason }: CaptureSummary, level: number): string[] {
  if (level < 10) return [`level ${level} records no calls, it only logs them; --level 10 records`];
  return [`nothing was recorded: ${printable(reason ?? 'the program made no call that fir knows')}`];
}

function recorded(summary: CaptureSummary, paint: Paint): string[] {
  const { completed, failed, unfinished, skippedByLimit, skippedByFilter, notRecorded } = summary;
  const endings = [
    `${completed} completed`,
    failed > 0 ? paint.bad(`${failed} failed`) : '0 failed',
    unfinished > 0 ? paint.bad(`${unfinished} unfinished`) : '0 unfinished',
  ].join(', ');
  const directory = printable(summary.directory);
  const skipped = [
    ...(skippedByLimit > 0 ? [`${skippedByLimit} over ${limitFlags(summary)}`] : []),
    ...(skippedByFilter > 0 ? [`${skippedByFilter} by --include or --exclude`] : []),
  ];
  return [
    `${formatCount(summary.recorded, 'call')} recorded (${endings}), ${formatBytes(summary.bytes)} in ${directory}`,
    ...pythonLines(summary, paint),
    ...dropped(summary, paint),
    ...(skipped.length > 0 ? [paint.warn(`calls skipped: ${skipped.join(', ')}`)] : []),
    ...(notRecorded > 0 ? [paint.bad(`${formatCount(notRecorded, 'call')} could not be recorded:`)] : []),
    ...summary.errors.slice(0, SHOWN_REASONS).map((error) => `  ${printable(error)}`),
    ...notReplayable(summary, paint),
    `next: fir inspect ${quoted(summary.directory)}`,
  ];
}

/** What a limit left out or dropped, by function where that tells something. */
function dropped({ rotated, overLimit, skippedByLimit, lostStates }: CaptureSummary, paint: Paint): string[] {
  const shown = overLimit.slice(0, SHOWN_FUNCTIONS).map(({ function: name, calls }) => `${name}: ${calls}`);
  const hidden = overLimit.length - shown.length;
  const functions = [...shown, ...(hidden > 0 ? [`and ${formatCount(hidden, 'more function')}`] : [])];
  const isTold = rotated + skippedByLimit > 0 && overLimit.length > 1;
  return [
    ...(rotated > 0 ? [`${formatCount(rotated, 'older call')} dropped at the limit`] : []),
    ...(isTold ? [printable(`left out or dropped at a limit, by function: ${functions.join(', ')}`)] : []),
    ...lostStates
      .slice(0, SHOWN_REASONS)
      .map(({ class: name, objects }) =>
        paint.warn(
          printable(
            `later calls of ${formatCount(objects, `${name} object`)} can't be replayed: earlier ones that made their state were dropped`,
          ),
        ),
      ),
  ];
}

function limitFlags({ maxPerFunction }: CaptureSummary): string {
  return maxPerFunction !== undefined
    ? '--max-count, --max-size or --max-per-function'
    : '--max-count or --max-size';
}

function notReplayable(summary: CaptureSummary, paint: Paint): string[] {
  const all = summary.notReplayable;
  if (all.length === 0) return [];
  const hidden = all.length - SHOWN_REASONS;
  return [
    paint.warn(`${formatCount(all.length, 'function')} can't be replayed:`),
    ...all
      .slice(0, SHOWN_REASONS)
      .map(({ function: name, reason, hint }) =>
        printable(`  ${name}: ${reason}${hint === undefined ? '' : `; ${hint}`}`),
      ),
    ...(hidden > 0 ? [`  and ${hidden} more`] : []),
  ];
}

/** As a shell takes it. */
function quoted(path: string): string {
  return /^[\w./+-]+$/.test(path) ? path : `'${printable(path).replaceAll("'", "'\\''")}'`;
}
