import type { Paint } from '../../cli/colour.js';
import { formatBytes, formatCount, formatDuration } from '../../cli/format.js';
import { printable } from '../../cli/printable.js';
import { Table } from '../../cli/table.js';
import type { InspectSessionInfo, InspectSummary } from '../../core/inspect/index.js';
import type { TextOptions } from './text.js';

const SHOWN_UNREADABLE = 10;
const SHOWN_FUNCTIONS = 100;

export function sessionLine(session: InspectSessionInfo, paint: Paint): string {
  const versions = Object.entries(session.versions).map(([name, version]) => `${name} ${version}`);
  const made = [...(session.producer === 'unknown' ? [] : [`by ${session.producer}`]), ...versions].join(
    ', ',
  );
  const counts = `${formatCount(session.processes, 'process', 'processes')}, ${formatCount(session.records, 'record')}`;
  return `${paint.strong(printable(session.path))}  ${counts}${made === '' ? '' : paint.faint(`  ${printable(made)}`)}`;
}

/** Calls, failures, bytes and durations of every function. */
export function functionLines({ byFunction }: InspectSummary, { columns, paint }: TextOptions): string[] {
  if (byFunction.length === 0) return [];
  const rows = byFunction
    .slice(0, SHOWN_FUNCTIONS)
    .map((entry) => [
      printable(entry.function),
      String(entry.calls),
      String(entry.failed),
      String(entry.unfinished),
      formatBytes(entry.bytes),
      entry.p50Us === null ? '' : formatDuration(entry.p50Us),
      entry.p95Us === null ? '' : formatDuration(entry.p95Us),
    ]);
  const table = new Table(
    [
      { title: 'FUNCTION', shrinks: true },
      { title: 'CALLS', align: 'right' },
      { title: 'FAILED', align: 'right' },
      { title: 'UNFINISHED', align: 'right' },
      { title: 'SIZE', align: 'right' },
      { title: 'P50', align: 'right' },
      { title: 'P95', align: 'right' },
    ],
    rows,
    columns,
  );
  const hidden = byFunction.length - rows.length;
  return [
    paint.faint(table.header()),
    ...rows.map((row) => table.row(row)),
    ...(hidden > 0 ? [`and ${formatCount(hidden, 'more function')}`] : []),
  ];
}

/** What is stored once, though several tensors hold it. */
export function contentLines({ contents }: InspectSummary): string[] {
  if (contents === undefined) return [];
  const { tensors, bytes, storedBytes } = contents;
  return [
    `stored by content: ${formatCount(tensors, 'tensor')} of ${formatBytes(bytes)} as ${formatBytes(storedBytes)}`,
  ];
}

/** Of the snapshots that are in no list of calls. */
export function repeatedLines({ repeatedSnapshots = 0 }: InspectSessionInfo): string[] {
  if (repeatedSnapshots === 0) return [];
  const count = formatCount(repeatedSnapshots, 'snapshot');
  return [`left out: ${count} of CUDA graphs, byte for byte what the flush before had written`];
}

/** Which lines and files could not be read, by file and byte offset. */
export function unreadableLines({ unreadable, unreadableCount }: InspectSessionInfo, paint: Paint): string[] {
  if (unreadableCount === 0) return [];
  const shown = unreadable.slice(0, SHOWN_UNREADABLE);
  const hidden = unreadableCount - shown.length;
  return [
    paint.warn(`${formatCount(unreadableCount, 'line or file', 'lines or files')} could not be read:`),
    ...shown.map(
      ({ file, offset, reason }) => `  ${printable(file)} at byte ${offset}: ${printable(reason)}`,
    ),
    ...(hidden > 0 ? [`  and ${hidden} more`] : []),
  ];
}

/** The last line: `64 calls: 63 completed, 1 unfinished`. */
export function countsLine({ calls, byStatus }: InspectSummary, session: InspectSessionInfo): string {
  const words: Record<string, string> = { inputs_saved: 'unfinished', no_record: 'without a record' };
  const statuses = Object.entries(byStatus)
    .filter(([, count]) => count > 0)
    .map(([status, count]) => `${count} ${words[status] ?? printable(status.replaceAll('_', ' '))}`);
  if (calls === 0) return session.records === 0 ? 'no calls' : 'no calls selected';
  return `${formatCount(calls, 'call')}: ${statuses.join(', ')}`;
}
