import { join } from 'node:path';
import { FirError, messageOf } from '../errors.js';
import { orderCalls, type RowRange } from './call-order.js';
import { CallTable } from './call-table.js';
import { droppedCalls, readDump, readMetadata, type ScanContext, scanDumps } from './dump-scan.js';
import { inferForeignParents } from './foreign-parents.js';
import { nameForeignProcesses } from './foreign-processes.js';
import { countGenerations } from './generations.js';
import { isSegment, locateSession } from './locate.js';
import { readProcessHeaders } from './process-headers.js';
import { readRecordLog } from './record-log.js';
import { Session } from './session.js';
import { findLeftOut, scanSnapshots } from './snapshot-scan.js';
import { UnreadableList } from './unreadable-list.js';

/**
 * Opens the session at `path`: a session directory, its `session.jsonl`, a directory of dumps whose index is lost, or
 * one call's dump directory. Damage is skipped and counted. `shownAs` is what the session tells as its path.
 * FirError NOT_FOUND, NOT_A_SESSION, UNSAFE_PATH.
 */
export function openSession(path: string, shownAs: string = path): Session {
  const { root, realRoot, indexes, dump } = locateSession(path);
  const table = new CallTable();
  const unreadable = new UnreadableList();
  const context: ScanContext = { root, realRoot, table, unreadable };
  let records = 0;
  const ranges = indexes.map((name, file): RowRange => {
    const begin = table.size;
    records += readIndex(context, name, file);
    return { begin, end: table.size, isSegment: isSegment(name) };
  });
  const foundBegin = table.size;
  records += dump === undefined ? scanDumps(context) : readDump(context, dump);
  records += scanSnapshots(context);
  settleUnfinished(context, foundBegin);

  const { rows: snapshots, repeatedSnapshots } = findLeftOut(context);
  const dropped = droppedCalls(table, indexes.map(isSegment));
  const isLeftOut = (row: number): boolean => snapshots.has(row) || dropped.has(row);
  const whole = orderCalls(table, ranges, foundBegin);
  nameForeignProcesses(table, whole, isLeftOut);
  const isWhole = snapshots.size === 0 && dropped.size === 0;
  const order = isWhole ? whole : whole.filter((row) => !isLeftOut(row));
  inferForeignParents(table, ranges);
  countGenerations(table, order);
  order.forEach((row, index) => {
    table.number[row] = index + 1;
  });
  const processes = readProcessHeaders(root, realRoot, unreadable);
  const unindexed = order.filter(
    (row) => row >= foundBegin && dump === undefined && isForeignRecord(table, row),
  ).length;
  return new Session({
    root,
    realRoot,
    path: shownAs,
    indexes,
    table,
    order,
    records,
    repeatedSnapshots,
    unindexed,
    unreadable,
    processes,
  });
}

function isForeignRecord(table: CallTable, row: number): boolean {
  return table.isFir[row] !== 1 && table.statusOf(row) !== 'no_record';
}

function readIndex(context: ScanContext, name: string, file: number): number {
  const { root, table, unreadable } = context;
  const path = join(root, name);
  try {
    return readRecordLog({ path, name, file, isSegment: isSegment(name) }, table, unreadable);
  } catch (error) {
    if (error instanceof FirError) throw error;
    throw new FirError('NOT_A_SESSION', `${path} can't be read: ${messageOf(error)}`, {
      where: path,
      cause: error,
    });
  }
}

/**
 * A process may have been killed between the two files that say that a call ended; and where the index tells twice of
 * one start or end, the dump's own file tells whether two calls share the directory.
 */
function settleUnfinished(context: ScanContext, end: number): void {
  const { table } = context;
  for (let row = 0; row < end; row++) {
    const status = table.statusOf(row);
    const isUnfinished = status === 'inputs_saved' || status === 'graph_capture_pending_flush';
    const isOpen = isUnfinished || table.isDoubtful[row] === 1;
    if (isOpen && table.problem[row] === 0) readMetadata(context, row);
  }
}
