import type { Paint } from '../../cli/colour.js';
import { formatBytes, formatCount } from '../../cli/format.js';
import { printable } from '../../cli/printable.js';
import { Table } from '../../cli/table.js';
import type { FileInspection, InspectCall, SessionInspection } from '../../core/inspect/index.js';
import type { Sink } from '../sink.js';
import { CallTable } from './call-table.js';
import { ReasonCounts } from './reasons.js';
import {
  contentLines,
  countsLine,
  functionLines,
  repeatedLines,
  sessionLine,
  unreadableLines,
} from './summary-text.js';
import { tensorExtras } from './tensor-text.js';

const SHOWN_UNFINISHED = 20;

const FIR_UNFINISHED = 'the program may have died inside';
/** FlashInfer's recorder leaves a call that raised as one that never ended. */
const FOREIGN_UNFINISHED = `${FIR_UNFINISHED}, or an exception came out`;

export interface TextOptions {
  /** Columns of the terminal; Infinity where it is none. */
  columns: number;
  paint: Paint;
  /** A line for each tensor under its call. */
  tensors: boolean;
}

/**
 * The table of calls, those that never ended first; then a summary per function, what can't be replayed and why, and
 * what could not be read.
 */
export async function writeSessionText(
  inspection: SessionInspection,
  unfinished: Iterable<InspectCall>,
  sink: Sink,
  options: TextOptions,
): Promise<void> {
  const { paint } = options;
  const { session } = inspection;
  await sink.write(`${sessionLine(session, paint)}\n`);
  const why = session.producer === 'fir' ? FIR_UNFINISHED : FOREIGN_UNFINISHED;
  await writeUnfinished(unfinished, why, sink, options);
  const reasons = new ReasonCounts((calls) => `${calls} can't be replayed:`);
  const notes = new ReasonCounts((calls) => `of the files of ${calls}:`);
  const table = new CallTable(sink, options);
  await sink.write('\n');
  for (const call of inspection.calls) {
    if (!call.replayable) reasons.add(call, call.reasons);
    if (call.notes !== undefined) notes.add(call, call.notes);
    await table.add(call);
  }
  await table.end();
  const summary = inspection.summary();
  const sections = [
    functionLines(summary, options),
    reasons.lines(paint),
    notes.lines(paint),
    contentLines(summary),
    repeatedLines(session),
    unreadableLines(session, paint),
  ];
  for (const lines of sections) if (lines.length > 0) await sink.write(`\n${lines.join('\n')}\n`);
  await sink.write(`\n${countsLine(summary, session)}\n`);
  await sink.close();
}

/** One .safetensors or .pt file: its metadata and tensors. */
export async function writeFileText(
  inspection: FileInspection,
  sink: Sink,
  options: TextOptions,
): Promise<void> {
  const { paint } = options;
  const { file, tensors } = inspection;
  const size = `${formatBytes(file.bytes)}, ${formatCount(tensors.length, 'tensor')}`;
  await sink.write(`${paint.strong(printable(file.path))}  ${size}\n`);
  for (const [name, value] of Object.entries(file.metadata)) {
    await sink.write(`  ${printable(name)}: ${printable(value)}\n`);
  }
  const rows = tensors.map(({ key, dtype, shape, bytes, storedBytes }) => [
    printable(key),
    printable(dtype),
    dtype === '' ? '' : `[${shape.join(',')}]`,
    `${formatBytes(bytes)}${storedBytes === undefined ? '' : ` of ${formatBytes(storedBytes)} stored`}`,
  ]);
  const table = new Table(
    [
      { title: 'TENSOR', shrinks: true },
      { title: 'DTYPE' },
      { title: 'SHAPE', shrinks: true },
      { title: 'SIZE', align: 'right' },
    ],
    rows,
    options.columns,
  );
  await sink.write(`\n${paint.faint(table.header())}\n`);
  for (const [index, row] of rows.entries()) {
    await sink.write(`${table.row(row)}\n`);
    for (const extra of tensorExtras(tensors[index] ?? {})) await sink.write(`    ${paint.faint(extra)}\n`);
  }
  for (const note of inspection.notes ?? []) await sink.write(`\n${paint.warn(printable(note))}\n`);
  await sink.close();
}

async function writeUnfinished(
  calls: Iterable<InspectCall>,
  why: string,
  sink: Sink,
  options: TextOptions,
): Promise<void> {
  const shown: InspectCall[] = [];
  let count = 0;
  for (const call of calls) {
    count += 1;
    if (shown.length < SHOWN_UNFINISHED) shown.push(call);
  }
  if (count === 0) return;
  const more = count > shown.length ? `; the first ${shown.length} of them:` : ':';
  const title = options.paint.bad(`${formatCount(count, 'call')} never ended`);
  await sink.write(`\n${title}, so ${why}${more}\n`);
  const table = new CallTable(sink, options);
  for (const call of shown) await table.add(call);
  await table.end();
}
