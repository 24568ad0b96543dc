import { closeSync, openSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { type CallTable, IN_METADATA } from './call-table.js';
import { readLines } from './line-reader.js';
import { parseLine } from './parse-line.js';
import { PROBLEMS } from './problems.js';
import { headFrom, type RecordHead } from './record-head.js';
import { dumpNameFrom } from './safe-path.js';
import type { CallStatus } from './types.js';
import type { UnreadableList } from './unreadable-list.js';

/** A call's status never goes back: an older record that comes later does not undo its end. */
const RANK: Readonly<Record<CallStatus, number>> = {
  no_record: 0,
  graph_capture_pending_flush: 1,
  inputs_saved: 2,
  completed: 3,
  failed: 3,
};

export interface LogSource {
  path: string;
  /** As it is named in messages: relative to the session. */
  name: string;
  /** Number of the index file, or IN_METADATA. */
  file: number;
  /** A process that drops calls writes it: records may stand in it twice, and in another order. */
  isSegment?: boolean;
  /** The dump that the records belong to; from each record's `dump_dir` where absent. */
  dump?: string;
}

/** Reads the records of one file into the table. Gives the number of readable ones; the rest goes to `unreadable`. */
export function readRecordLog(source: LogSource, table: CallTable, unreadable: UnreadableList): number {
  const fd = openSync(source.path, 'r');
  const seen = new Set<CallStatus>();
  let records = 0;
  try {
    for (const line of readLines(fd)) {
      const parsed = parseLine(line);
      const head = 'reason' in parsed ? parsed.reason : headFrom(parsed.value);
      if (typeof head === 'string' || line.bytes === undefined) {
        unreadable.add(source.name, line.offset, typeof head === 'string' ? head : 'too long');
        continue;
      }
      records += 1;
      const place = {
        file: source.file,
        isSegment: source.isSegment === true,
        offset: line.offset,
        length: line.length,
        checksum: crc32(line.bytes),
      };
      if (source.dump !== undefined) noteSecondCall(table, source.dump, head, seen);
      const reason = addRecord(table, head, place, source.dump);
      if (reason !== undefined) unreadable.add(source.name, line.offset, reason);
    }
  } finally {
    closeSync(fd);
  }
  return records;
}

export interface RecordPlace {
  file: number;
  isSegment?: boolean;
  offset: number;
  length: number;
  checksum: number;
}

/**
 * A recorder that puts no host into the names of directories has the calls of two containers in one of them, under
 * records that may not differ by a byte: of one call each kind of record is there once.
 */
function noteSecondCall(table: CallTable, dump: string, head: RecordHead, seen: Set<CallStatus>): void {
  const row = table.rowOf(dump);
  if (row === undefined || !isEager(head)) return;
  if (seen.has(head.status)) table.problem[row] = PROBLEMS.shared.id;
  seen.add(head.status);
}

function isEager(head: RecordHead): boolean {
  return head.fir === undefined && !head.graphCapture;
}

/** Adds what a record says of its call, or gives the reason for leaving it out. */
export function addRecord(
  table: CallTable,
  head: RecordHead,
  place: RecordPlace,
  knownDump: string | undefined,
): string | undefined {
  const safeName = knownDump ?? dumpNameFrom(head.dumpDir);
  const dump = safeName ?? head.dumpDir;
  let row = table.rowOf(dump);
  if (row === undefined) {
    row = table.add(dump);
    table.firstOffset[row] = place.offset;
    if (safeName === undefined) table.problem[row] = PROBLEMS.unsafeName.id;
  } else if (table.statusOf(row) !== 'no_record') {
    const reason = conflict(table, row, head, place);
    if (reason !== undefined) return reason === 'silent' ? undefined : reason;
  }
  table.setHead(row, head);
  table.file[row] = place.file;
  table.offset[row] = place.offset;
  table.length[row] = place.length;
  table.checksum[row] = place.checksum;
  return undefined;
}

/** Why a record about a known dump changes nothing. Of a graph's calls each replay leaves records that say the same. */
function conflict(table: CallTable, row: number, head: RecordHead, place: RecordPlace): string | undefined {
  if (!isSameCall(table, row, head)) {
    return noteShared(table, row);
  }
  const before = table.statusOf(row);
  const isRepeated =
    before === head.status && table.length[row] === place.length && table.checksum[row] === place.checksum;
  if (before === head.status && !isRepeated && isEager(head) && place.file !== IN_METADATA) {
    return noteShared(table, row);
  }
  // The dump's own file repeats what the index says, and is where an unfinished call is looked up again.
  const isExpected = head.graphCapture || place.file === IN_METADATA || place.isSegment === true;
  if (isEager(head) && place.file !== IN_METADATA && RANK[head.status] <= RANK[before]) {
    table.isDoubtful[row] = 1;
  }
  if (isRepeated) return isExpected ? 'silent' : 'repeats an earlier record';
  if (RANK[head.status] < RANK[before])
    return isExpected ? 'silent' : 'an older record of a call that has ended';
  return undefined;
}

function noteShared(table: CallTable, row: number): string {
  table.problem[row] = PROBLEMS.shared.id;
  return `a record of another call in the directory of ${table.dumps.at(row)}`;
}

function isSameCall(table: CallTable, row: number, head: RecordHead): boolean {
  if (table.strings.at(table.functionId[row] ?? 0) !== head.functionName) return false;
  if (table.pid[row] !== head.pid || table.callSequence[row] !== head.callSequence) return false;
  if (table.isFir[row] !== (head.fir === undefined ? 0 : 1)) return false;
  return head.fir === undefined || table.strings.at(table.processId[row] ?? 0) === head.fir.processUid;
}
