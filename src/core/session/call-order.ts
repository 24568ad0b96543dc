import { snapshotOf } from '../flashinfer/index.js';
import type { CallTable } from './call-table.js';

/** Rows `begin` to `end` (excluded), which one index file named, in the order of their first records. */
export interface RowRange {
  begin: number;
  end: number;
  /** Each call's own time counts: the file is one process's, whose clock never steps back, and not in order. */
  isSegment: boolean;
}

/**
 * Rows in session order. An index file's own order is kept; several files, and the dumps that no index names (rows
 * from `foundBegin`), are merged by start time. Within a process of fir's its own sequence decides.
 */
export function orderCalls(table: CallTable, files: readonly RowRange[], foundBegin: number): Uint32Array {
  const order = Uint32Array.from({ length: table.size }, (_, row) => row);
  const filled = files.filter(({ begin, end }) => end > begin);
  if (filled.length > 1 || foundBegin < table.size) mergeByTime(table, order, filled, foundBegin);
  orderBySequence(table, order);
  return order;
}

function mergeByTime(
  table: CallTable,
  order: Uint32Array,
  files: readonly RowRange[],
  foundBegin: number,
): void {
  // A file keeps its order whatever the clock did: a call is merged by the latest time so far in its file.
  const times = new Float64Array(table.size);
  for (const { begin, end, isSegment } of files) {
    let latest = Number.NEGATIVE_INFINITY;
    for (let row = begin; row < end; row++) {
      const start = startOf(table, row) ?? latest;
      latest = isSegment ? start : Math.max(latest, start);
      times[row] = latest;
    }
  }
  // A dump without any record goes last: nothing is known of when it began.
  const flushes = new Uint32Array(table.size);
  const capturedBy = latestCaptures(table);
  for (let row = foundBegin; row < table.size; row++) {
    flushes[row] = table.graphCapture[row] === 1 ? (snapshotOf(table.dumps.at(row))?.flush ?? 0) : 0;
    const start = startOf(table, row);
    const captured = flushes[row] === 0 ? start : (capturedBy.get(table.pid[row] ?? 0) ?? start);
    times[row] = start === undefined ? Number.POSITIVE_INFINITY : (captured ?? start);
  }
  order.sort((a, b) => {
    const aTime = times[a] ?? 0;
    const bTime = times[b] ?? 0;
    if (aTime !== bTime) return aTime < bTime ? -1 : 1;
    // Rows are numbered file by file, and found dumps by name.
    if (a < foundBegin || b < foundBegin) return a - b;
    const byFlush = (flushes[a] ?? 0) - (flushes[b] ?? 0);
    if (byFlush !== 0) return byFlush;
    return (flushes[a] === 0 ? callSequenceOf(table, a) - callSequenceOf(table, b) : 0) || a - b;
  });
}

/**
 * By process id, when its last call was captured into a graph. A snapshot says when its call was captured and not when
 * its graph ran; graphs are captured before they serve.
 */
function latestCaptures(table: CallTable): Map<number, number> {
  const latest = new Map<number, number>();
  for (let row = 0; row < table.size; row++) {
    const start = table.graphCapture[row] === 1 ? startOf(table, row) : undefined;
    const pid = table.pid[row] ?? 0;
    if (start !== undefined) latest.set(pid, Math.max(start, latest.get(pid) ?? start));
  }
  return latest;
}

function startOf(table: CallTable, row: number): number | undefined {
  const time = table.startedMs[row] ?? Number.NaN;
  return Number.isNaN(time) ? undefined : time;
}

function callSequenceOf(table: CallTable, row: number): number {
  return table.callSequence[row] ?? 0;
}

/** Puts the calls of each of fir's processes into the places that they hold together, by their sequence. */
function orderBySequence(table: CallTable, order: Uint32Array): void {
  const latest = new Map<number, number>();
  const places = new Map<number, number[]>();
  for (const row of order) {
    if (table.isFir[row] !== 1) continue;
    const process = table.processId[row] ?? 0;
    const sequence = table.sequence[row] ?? 0;
    if (sequence < (latest.get(process) ?? 0)) places.set(process, []);
    latest.set(process, sequence);
  }
  if (places.size === 0) return;
  order.forEach((row, place) => {
    if (table.isFir[row] === 1) places.get(table.processId[row] ?? 0)?.push(place);
  });
  for (const own of places.values()) {
    const rows = own.map((place) => order[place] ?? 0);
    rows.sort((a, b) => (table.sequence[a] ?? 0) - (table.sequence[b] ?? 0));
    own.forEach((place, index) => {
      order[place] = rows[index] ?? 0;
    });
  }
}
