import type { RowRange } from './call-order.js';
import type { CallTable } from './call-table.js';

/** Calls nest a few deep; a log in which all overlap must not make every call look at every other. */
const MAX_OPEN_LOOKED_AT = 64;

/**
 * Which call a foreign recorder's call ran inside, as its index file tells it: one whose first record stands before
 * and whose last one stands behind both records of the inner call. Only calls that returned have both; a captured
 * call's records are written when its graph runs, and say nothing.
 */
export function inferForeignParents(table: CallTable, files: readonly RowRange[]): void {
  files.forEach((range, file) => {
    const open = new Map<number, number[]>();
    for (let row = range.begin; row < range.end; row++) {
      if (!hasBothRecords(table, row, file)) continue;
      const process = table.processId[row] ?? 0;
      const around = open.get(process) ?? [];
      open.set(process, around);
      const begin = table.firstOffset[row] ?? 0;
      while (around.length > 0 && lastOffset(table, around.at(-1)) < begin) around.pop();
      const parent = innermostAround(table, around, row);
      if (parent !== undefined) table.setParent(row, table.sequence[parent] ?? 0);
      around.push(row);
    }
  });
}

function hasBothRecords(table: CallTable, row: number, file: number): boolean {
  return (
    table.isFir[row] !== 1 &&
    table.graphCapture[row] !== 1 &&
    table.statusOf(row) === 'completed' &&
    table.problem[row] === 0 &&
    table.file[row] === file &&
    lastOffset(table, row) > (table.firstOffset[row] ?? 0)
  );
}

function innermostAround(table: CallTable, around: readonly number[], row: number): number | undefined {
  const end = lastOffset(table, row);
  const lowest = Math.max(0, around.length - MAX_OPEN_LOOKED_AT);
  for (let index = around.length - 1; index >= lowest; index--) {
    if (lastOffset(table, around[index]) > end) return around[index];
  }
  return undefined;
}

function lastOffset(table: CallTable, row: number | undefined): number {
  return row === undefined ? 0 : (table.offset[row] ?? 0);
}
