import { join } from 'node:path';
import { flushNumber, GRAPH_FLUSHES, snapshotDump, snapshotOf } from '../flashinfer/index.js';
import type { CallTable } from './call-table.js';
import { entriesOf } from './directory.js';
import { readDump, type ScanContext } from './dump-scan.js';
import { PROBLEMS, type Problem } from './problems.js';
import { statOf } from './safe-path.js';
import { hasSameTensorFiles } from './same-files.js';

/**
 * Finds the snapshots of captured calls, which stand a level below their dumps, and holds those of the index against
 * the directories. Gives the number of records read.
 */
export function scanSnapshots(context: ScanContext): number {
  let records = 0;
  for (const [base, known] of capturedCalls(context.table)) records += scanFlushes(context, base, known);
  return records;
}

/** The dumps that may have snapshots, each with the rows of those that the index names. */
function capturedCalls(table: CallTable): Map<string, Set<number>> {
  const captured = new Map<string, Set<number>>();
  for (let row = 0; row < table.size; row++) {
    if (table.isFir[row] === 1) continue;
    const dump = table.dumps.at(row);
    const snapshot = snapshotOf(dump);
    const base = snapshot?.base ?? dump;
    if (snapshot === undefined && table.graphCapture[row] !== 1 && table.status[row] !== 0) continue;
    const rows = captured.get(base) ?? new Set();
    if (snapshot !== undefined) rows.add(row);
    captured.set(base, rows);
  }
  return captured;
}

function scanFlushes(context: ScanContext, base: string, known: Set<number>): number {
  const { root, table } = context;
  const directory = join(root, base, GRAPH_FLUSHES);
  const problem = problemOfDirectory(join(root, base)) ?? problemOfDirectory(directory);
  const found: string[] = [];
  for (const entry of problem === undefined ? entriesOf(directory) : []) {
    if (flushNumber(entry.name) === undefined) continue;
    const row = table.rowOf(snapshotDump(base, entry.name));
    if (row === undefined) {
      if (entry.isDirectory() || entry.isSymbolicLink()) found.push(entry.name);
      continue;
    }
    known.delete(row);
    if (entry.isSymbolicLink()) table.problem[row] = PROBLEMS.symbolicLink.id;
    else if (!entry.isDirectory()) table.problem[row] = PROBLEMS.notDirectory.id;
  }
  for (const row of known) {
    if (table.problem[row] === 0) table.problem[row] = (problem ?? PROBLEMS.missing).id;
  }
  found.sort((a, b) => (flushNumber(a) ?? 0) - (flushNumber(b) ?? 0) || (a < b ? -1 : 1));
  return found.reduce((records, name) => records + readDump(context, snapshotDump(base, name)), 0);
}

function problemOfDirectory(path: string): Problem | undefined {
  const stats = statOf(path);
  if (stats === undefined) return PROBLEMS.missing;
  if (stats.isSymbolicLink()) return PROBLEMS.symbolicLink;
  return stats.isDirectory() ? undefined : PROBLEMS.notDirectory;
}

/** Rows that are no calls of their own. */
export interface LeftOut {
  rows: ReadonlySet<number>;
  /** Snapshots among them that repeat the one before. */
  repeatedSnapshots: number;
}

/**
 * A captured call is run by its snapshots: its own directory repeats the last of them. A snapshot that holds what the
 * one before it does, byte for byte, was written when the recorded process ended, and no replay of the graph made it.
 */
export function findLeftOut({ root, table }: ScanContext): LeftOut {
  const rows = new Set<number>();
  let repeatedSnapshots = 0;
  for (const [base, snapshots] of usableSnapshots(table)) {
    const baseRow = table.rowOf(base);
    if (baseRow !== undefined) rows.add(baseRow);
    for (const [index, { row, flush }] of snapshots.entries()) {
      const before = snapshots[index - 1];
      // A session that was cut down may lack those in between, which were other values.
      if (before?.flush !== flush - 1) continue;
      const [own, other] = [row, before.row].map((at) => join(root, table.dumps.at(at)));
      if (own === undefined || other === undefined || !hasSameTensorFiles(own, other)) continue;
      rows.add(row);
      repeatedSnapshots += 1;
    }
  }
  return { rows, repeatedSnapshots };
}

/** By captured call, in the order of the flushes. */
function usableSnapshots(table: CallTable): Map<string, { row: number; flush: number }[]> {
  const byBase = new Map<string, { row: number; flush: number }[]>();
  for (let row = 0; row < table.size; row++) {
    if (table.graphCapture[row] !== 1 || table.problem[row] !== 0) continue;
    const snapshot = snapshotOf(table.dumps.at(row));
    if (snapshot === undefined) continue;
    const snapshots = byBase.get(snapshot.base) ?? [];
    snapshots.push({ row, flush: snapshot.flush });
    byBase.set(snapshot.base, snapshots);
  }
  for (const snapshots of byBase.values()) snapshots.sort((a, b) => a.flush - b.flush);
  return byBase;
}
