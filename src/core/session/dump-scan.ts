import { join } from 'node:path';
import { OLD_METADATA, snapshotOf } from '../flashinfer/index.js';
import { type CallTable, IN_METADATA } from './call-table.js';
import { entriesOf, hasEntry } from './directory.js';
import { readOldRecord } from './old-record.js';
import { PROBLEMS, type Problem } from './problems.js';
import { readRecordLog } from './record-log.js';
import { sizeOfSessionFile, statOf } from './safe-path.js';
import type { UnreadableList } from './unreadable-list.js';

export const METADATA = 'metadata.jsonl';

/** `20261124_143217_012_pid4242_InferenceSession.run_call0001`, as all recorders name them, perhaps with a suffix. */
const DUMP_NAME = /^\d{8}_\d{6}_\d{3}_pid(\d{1,15})_(.+)_call\d+(?:_.*)?$/s;
export const TENSOR_FILE = /^(?:inputs|outputs|mutated)\.(?:safetensors|pt)$/;

export interface ScanContext {
  root: string;
  realRoot: string;
  table: CallTable;
  unreadable: UnreadableList;
}

/**
 * Holds the calls of the index against the directories beside it: what is missing or unsafe gets its problem, and
 * a dump that no record names is found and read. Gives the number of records read. Snapshots stand a level below: see
 * `scanSnapshots`.
 */
export function scanDumps(context: ScanContext): number {
  const { root, table } = context;
  const isPresent = new Uint8Array(table.size);
  const unknown: string[] = [];
  for (const entry of entriesOf(root)) {
    // What is being removed, say.
    if (entry.name.startsWith('.')) continue;
    const row = table.rowOf(entry.name);
    if (row === undefined) {
      if (entry.isDirectory() && isDump(join(root, entry.name), entry.name)) unknown.push(entry.name);
      else if (entry.isSymbolicLink() && DUMP_NAME.test(entry.name)) unknown.push(entry.name);
      continue;
    }
    isPresent[row] = 1;
    if (entry.isSymbolicLink()) table.problem[row] = PROBLEMS.symbolicLink.id;
    else if (!entry.isDirectory()) table.problem[row] = PROBLEMS.notDirectory.id;
  }
  for (let row = 0; row < isPresent.length; row++) {
    if (isPresent[row] === 0 && table.problem[row] === 0 && snapshotOf(table.dumps.at(row)) === undefined) {
      table.problem[row] = PROBLEMS.missing.id;
    }
  }
  unknown.sort();
  let records = 0;
  for (const name of unknown) records += readDump(context, name);
  return records;
}

/**
 * Calls that the process which recorded them has dropped: their records are in one of its own index files, and their
 * directories are gone. `segments`: by number, whether an index is such a file.
 */
export function droppedCalls(table: CallTable, segments: readonly boolean[]): Set<number> {
  const rows = new Set<number>();
  for (let row = 0; row < table.size; row++) {
    if (table.problem[row] === PROBLEMS.missing.id && segments[table.file[row] ?? 0] === true) rows.add(row);
  }
  return rows;
}

/** Reads a dump that no record of the index names into a new row. */
export function readDump(context: ScanContext, name: string): number {
  const { root, table } = context;
  const row = table.add(name);
  const path = join(root, name);
  nameFromDirectory(table, row, name);
  if (statOf(path)?.isSymbolicLink() === true) {
    table.problem[row] = PROBLEMS.symbolicLink.id;
    return 0;
  }
  const records = readMetadata(context, row);
  if (table.statusOf(row) === 'no_record' && table.problem[row] === 0) {
    table.problem[row] = missingRecordProblem(path).id;
  }
  return records;
}

/** The dump's own file is the truth about a call: looks there whether an unfinished one ended after all. */
export function readMetadata(context: ScanContext, row: number): number {
  const { root, realRoot, table, unreadable } = context;
  const dump = table.dumps.at(row);
  const path = join(root, dump, METADATA);
  try {
    if (sizeOfSessionFile(realRoot, path) === undefined) return readOldMetadata(context, dump);
  } catch {
    table.problem[row] = PROBLEMS.unsafeMetadata.id;
    return 0;
  }
  try {
    return readRecordLog({ path, name: `${dump}/${METADATA}`, file: IN_METADATA, dump }, table, unreadable);
  } catch {
    // Not to be opened, by its mode say: what the index says still holds.
    return 0;
  }
}

function readOldMetadata({ root, realRoot, table, unreadable }: ScanContext, dump: string): number {
  const reason = readOldRecord(realRoot, join(root, dump, OLD_METADATA), dump, table);
  if (typeof reason === 'number') return reason;
  unreadable.add(`${dump}/${OLD_METADATA}`, 0, reason);
  return 0;
}

/** With no record, what the directory's name tells is better than nothing. It decides nothing. */
function nameFromDirectory(table: CallTable, row: number, dump: string): void {
  const snapshot = snapshotOf(dump);
  if (snapshot !== undefined) table.graphCapture[row] = 1;
  const match = DUMP_NAME.exec(snapshot?.base ?? dump);
  if (match === null) return;
  table.pid[row] = Number(match[1]);
  table.functionId[row] = table.strings.idOf(match[2] ?? '');
}

export function isDump(path: string, name: string): boolean {
  if (name === 'blobs' || name === 'processes') return false;
  return DUMP_NAME.test(name) || hasEntry(path, (file) => file === METADATA || TENSOR_FILE.test(file));
}

function missingRecordProblem(path: string): Problem {
  if (!hasEntry(path, () => true)) return PROBLEMS.empty;
  return hasEntry(path, (name) => name === METADATA) ? PROBLEMS.noRecord : PROBLEMS.noMetadata;
}
