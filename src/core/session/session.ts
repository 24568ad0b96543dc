import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { FirError, messageOf } from '../errors.js';
import { OLD_METADATA, snapshotOf } from '../flashinfer/index.js';
import { parseJson } from '../json/index.js';
import type { CallRecord, Resolution } from '../model/call.js';
import type { ProcessHeader, Unreadable } from '../model/session.js';
import { type CallTable, IN_METADATA, IN_OLD_METADATA } from './call-table.js';
import { Dump } from './dump.js';
import { METADATA } from './dump-scan.js';
import { type IndexRecord, readIndexRecords } from './index-records.js';
import { objectFrom, ownField } from './json-fields.js';
import { oldRecordFrom } from './old-record.js';
import { PROBLEMS, problemOf } from './problems.js';
import { type BytePlace, visitBytes } from './record-bytes.js';
import { type CheckedRecord, recordFrom } from './record-fields.js';
import { isOwnDirectory } from './safe-path.js';
import type { CallEntry, Producer } from './types.js';
import type { UnreadableList } from './unreadable-list.js';
import { recordFromFiles } from './unrecorded.js';

export interface SessionParts {
  /** As the user named it. */
  path: string;
  root: string;
  realRoot: string;
  indexes: readonly string[];
  table: CallTable;
  /** Rows of the table in session order. */
  order: Uint32Array;
  records: number;
  repeatedSnapshots: number;
  unindexed: number;
  unreadable: UnreadableList;
  processes: ReadonlyMap<string, ProcessHeader>;
}

/** A recorded session, opened for reading. Nothing is ever written to it. */
export class Session {
  /** As the user named it. */
  readonly path: string;
  /** Directory of the dumps; `blobs/` and `processes/` are beside them. */
  readonly root: string;
  /** The same without symbolic links. */
  readonly realRoot: string;
  /** Names of its index files, in the order in which they are read. */
  readonly indexes: readonly string[];
  readonly producer: Producer;
  /** In session order. */
  readonly calls: readonly CallEntry[];
  /** The first thousand lines and files that were skipped; `unreadableCount` counts all. */
  readonly unreadable: readonly Unreadable[];
  readonly unreadableCount: number;
  /** Readable records, those that repeat others included. */
  readonly records: number;
  /** Snapshots of CUDA graphs that are no calls, since each repeats the one before it byte for byte. */
  readonly repeatedSnapshots: number;
  /**
   * Calls of foreign recorders that no index names. Their order is that of the recorded times, which are whole milliseconds of
   * a clock that may have been set, and calls that ran inside of others are not known as such.
   */
  readonly unindexed: number;
  readonly processes: ReadonlyMap<string, ProcessHeader>;
  readonly #parts: SessionParts;

  constructor(parts: SessionParts) {
    const { table, order, unreadable } = parts;
    this.#parts = parts;
    this.path = parts.path;
    this.root = parts.root;
    this.realRoot = parts.realRoot;
    this.indexes = parts.indexes;
    this.records = parts.records;
    this.repeatedSnapshots = parts.repeatedSnapshots;
    this.unindexed = parts.unindexed;
    this.unreadable = unreadable.entries;
    this.unreadableCount = unreadable.count;
    this.processes = parts.processes;
    this.producer = producerOf(table);
    this.calls = Array.from(order, (row) => table.entry(row));
  }

  /** The call's last record, read from its file. FirError UNREADABLE_RECORD where there is none or it changed meanwhile. */
  readRecord(call: CallEntry): CallRecord {
    return this.#readChecked(call, this.#rowOf(call)).record;
  }

  /**
   * Shows the text of each call's last record, unparsed, as long as an index file has it; in no order, and read in few
   * pieces. The bytes are overwritten by the next ones.
   */
  visitRecordBytes(calls: Iterable<CallEntry>, visit: (call: CallEntry, bytes: Buffer) => void): void {
    const { root, indexes, table } = this.#parts;
    const byFile = indexes.map((): (BytePlace & { call: CallEntry })[] => []);
    for (const call of calls) {
      const row = this.#rowOf(call);
      const places = call.status === 'no_record' ? undefined : byFile[table.file[row] ?? 0];
      places?.push({ call, offset: table.offset[row] ?? 0, length: table.length[row] ?? 0 });
    }
    byFile.forEach((places, file) => {
      if (places.length === 0) return;
      places.sort((a, b) => a.offset - b.offset);
      visitBytes(join(root, indexes[file] ?? ''), places, ({ call }, bytes) => visit(call, bytes));
    });
  }

  /** The records of the index files about some dumps, read again; those of calls that were recorded since may be among them. */
  indexRecords(isWanted: (dump: string) => boolean): Generator<IndexRecord> {
    return readIndexRecords(this.root, this.indexes, isWanted);
  }

  /** The call that a dump directory is of; undefined for one that is no call of its own, or not of this session. */
  callOf(dump: string): CallEntry | undefined {
    const { table } = this.#parts;
    const row = table.rowOf(dump);
    return row === undefined ? undefined : this.calls[(table.number[row] ?? 0) - 1];
  }

  /** FirError UNSAFE_PATH, NOT_FOUND or UNREADABLE_RECORD where the dump can't be used: `call.problem` says so before. */
  openDump(call: CallEntry): Dump {
    const { root, realRoot, table } = this.#parts;
    const path = join(root, call.dump);
    const recorded = problemOf(table.problem[this.#rowOf(call)] ?? 0);
    // The directory may have been replaced since the session was opened.
    const isThere = isOwnDirectory(realRoot, path, call.dump);
    const problem = recorded ?? (isThere ? undefined : PROBLEMS.notDirectory);
    if (problem !== undefined) {
      throw new FirError(problem.code, `call ${call.number} can't be opened: ${problem.text}`, {
        where: path,
      });
    }
    return this.#dump(call, this.#rowOf(call));
  }

  /**
   * The captured call that a snapshot is of, which repeats the last of its snapshots and is no call of its own.
   * Undefined for any other call, and where its directory or its record can't be used.
   */
  openCaptured(call: CallEntry): Dump | undefined {
    const { root, realRoot, table } = this.#parts;
    const base = snapshotOf(call.dump)?.base;
    const row = base === undefined ? undefined : table.rowOf(base);
    if (base === undefined || row === undefined || table.problem[row] !== 0) return undefined;
    if (table.statusOf(row) === 'no_record' || !isOwnDirectory(realRoot, join(root, base), base)) {
      return undefined;
    }
    return this.#dump(table.entry(row), row);
  }

  /**
   * The tensor files of a call of which no record is left, as they tell of themselves: keys, dtypes, shapes and values.
   * Undefined where there are none, or the call's directory can't be used.
   */
  openUnrecorded(call: CallEntry): Dump | undefined {
    const { root, realRoot, table } = this.#parts;
    const path = join(root, call.dump);
    const problem = table.problem[this.#rowOf(call)];
    const hasOnlyFiles = problem === PROBLEMS.noMetadata.id || problem === PROBLEMS.noRecord.id;
    if (!hasOnlyFiles || !isOwnDirectory(realRoot, path, call.dump)) return undefined;
    const record = recordFromFiles(call, path, realRoot);
    if (record === undefined) return undefined;
    return new Dump({ record, badLayouts: new Map(), text: '', dump: call.dump, path, root, realRoot });
  }

  /**
   * How the call's function is found again: from the record, else from the process header, which is written later and
   * names a class once for all its members.
   */
  resolveOf(
    call: Pick<CallEntry, 'processUid' | 'functionName'>,
    record: CallRecord,
  ): Resolution | undefined {
    if (record.fir?.resolve !== undefined) return record.fir.resolve;
    const functions = this.processes.get(call.processUid)?.functions;
    if (functions === undefined) return undefined;
    const { functionName } = call;
    const className = functionName.slice(0, Math.max(0, functionName.lastIndexOf('.')));
    return ownField(functions, functionName) ?? ownField(functions, className);
  }

  #dump(call: CallEntry, row: number): Dump {
    const { root, realRoot } = this.#parts;
    const { record, badLayouts, text } = this.#readChecked(call, row);
    return new Dump({
      record,
      badLayouts,
      text,
      dump: call.dump,
      path: join(root, call.dump),
      root,
      realRoot,
    });
  }

  #readChecked(call: CallEntry, row: number): CheckedRecord & { text: string } {
    const { root, indexes, table } = this.#parts;
    if (call.status === 'no_record') {
      throw new FirError('UNREADABLE_RECORD', `call ${call.number} has no record: ${call.problem}`, {
        where: join(root, call.dump),
      });
    }
    const file = table.file[row] ?? 0;
    const own = file === IN_METADATA ? METADATA : file === IN_OLD_METADATA ? OLD_METADATA : undefined;
    const name = own === undefined ? (indexes[file] ?? '') : join(call.dump, own);
    const path = join(root, name);
    const offset = table.offset[row] ?? 0;
    try {
      const text = readText(path, offset, table.length[row] ?? 0);
      const value = file === IN_OLD_METADATA ? oldRecordFrom(text, call.dump) : objectFrom(parseJson(text));
      const checked = value === undefined ? undefined : recordFrom(value);
      if (typeof checked === 'object') return { ...checked, text };
    } catch (error) {
      throw changedError(path, offset, error);
    }
    throw changedError(path, offset, undefined);
  }

  #rowOf(call: CallEntry): number {
    const row = this.#parts.order[call.number - 1];
    if (row === undefined) throw new FirError('INTERNAL', `call ${call.number} is not of this session`);
    return row;
  }
}

function readText(path: string, offset: number, length: number): string {
  const bytes = Buffer.allocUnsafe(length);
  const fd = openSync(path, 'r');
  try {
    const count = readSync(fd, bytes, 0, length, offset);
    return bytes.toString('utf8', 0, count);
  } finally {
    closeSync(fd);
  }
}

function changedError(path: string, offset: number, cause: unknown): FirError {
  const why = cause === undefined ? '' : `: ${messageOf(cause)}`;
  return new FirError('UNREADABLE_RECORD', `the record can't be read any more${why}`, {
    where: `${path} at byte ${offset}`,
    hint: 'the file changed since the session was opened; open it again',
    cause,
  });
}

function producerOf(table: CallTable): Producer {
  let fir = 0;
  let foreign = 0;
  for (let row = 0; row < table.size; row++) {
    if (table.isFir[row] === 1) fir += 1;
    else if (table.status[row] !== 0) foreign += 1;
  }
  if (fir === 0) return foreign === 0 ? 'unknown' : 'flashinfer';
  return foreign === 0 ? 'fir' : 'mixed';
}
