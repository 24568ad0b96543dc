import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { FirError, messageOf } from '../errors.js';
import { parseJson } from '../json/index.js';
import type { CallRecord, Resolution } from '../model/call.js';
import type { ProcessHeader, Unreadable } from '../model/session.js';
import { type CallTable, IN_METADATA } from './call-table.js';
import { Dump } from './dump.js';
import { METADATA } from './dump-scan.js';
import { objectFrom, ownField } from './json-fields.js';
import { PROBLEMS, problemOf } from './problems.js';
import { type CheckedRecord, recordFrom } from './record-fields.js';
import { statOf } from './safe-path.js';
import type { CallEntry, Producer } from './types.js';
import type { UnreadableList } from './unreadable-list.js';

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
  unreadable: UnreadableList;
  processes: ReadonlyMap<string, ProcessHeader>;
}

/** A recorded session, opened for reading. Nothing is ever written to it. */
export class Session {
  /** As the user named it. */
  readonly path: string;
  /** Directory of the dumps; `blobs/` and `processes/` are beside them. */
  readonly root: string;
  readonly producer: Producer;
  /** In session order. */
  readonly calls: readonly CallEntry[];
  /** The first thousand lines and files that were skipped; `unreadableCount` counts all. */
  readonly unreadable: readonly Unreadable[];
  readonly unreadableCount: number;
  /** Readable records, those that repeat others included. */
  readonly records: number;
  readonly processes: ReadonlyMap<string, ProcessHeader>;
  readonly #parts: SessionParts;

  constructor(parts: SessionParts) {
    const { table, order, unreadable } = parts;
    this.#parts = parts;
    this.path = parts.path;
    this.root = parts.root;
    this.records = parts.records;
    this.unreadable = unreadable.entries;
    this.unreadableCount = unreadable.count;
    this.processes = parts.processes;
    this.producer = producerOf(table);
    this.calls = Array.from(order, (row) => table.entry(row));
  }

  /** The call's last record, read from its file. FirError UNREADABLE_RECORD where there is none or it changed meanwhile. */
  readRecord(call: CallEntry): CallRecord {
    return this.#readChecked(call).record;
  }

  /** FirError UNSAFE_PATH, NOT_FOUND or UNREADABLE_RECORD where the dump can't be used: `call.problem` says so before. */
  openDump(call: CallEntry): Dump {
    const { root, realRoot, table } = this.#parts;
    const path = join(root, call.dump);
    const recorded = problemOf(table.problem[this.#rowOf(call)] ?? 0);
    // The directory may have been replaced since the session was opened.
    const problem = recorded ?? (statOf(path)?.isDirectory() === true ? undefined : PROBLEMS.notDirectory);
    if (problem !== undefined) {
      throw new FirError(problem.code, `call ${call.number} can't be opened: ${problem.text}`, {
        where: path,
      });
    }
    const { record, badLayouts } = this.#readChecked(call);
    return new Dump({ record, badLayouts, path, root, realRoot });
  }

  /**
   * How the call's function is found again: from the record, else from the process header, which is written later and
   * names a class once for all its members.
   */
  resolveOf(call: CallEntry, record: CallRecord): Resolution | undefined {
    if (record.fir?.resolve !== undefined) return record.fir.resolve;
    const functions = this.processes.get(call.processUid)?.functions;
    if (functions === undefined) return undefined;
    const { functionName } = call;
    const className = functionName.slice(0, Math.max(0, functionName.lastIndexOf('.')));
    return ownField(functions, functionName) ?? ownField(functions, className);
  }

  #readChecked(call: CallEntry): CheckedRecord {
    const { root, indexes, table } = this.#parts;
    const row = this.#rowOf(call);
    if (call.status === 'no_record') {
      throw new FirError('UNREADABLE_RECORD', `call ${call.number} has no record: ${call.problem}`, {
        where: join(root, call.dump),
      });
    }
    const file = table.file[row] ?? 0;
    const name = file === IN_METADATA ? join(call.dump, METADATA) : (indexes[file] ?? '');
    const path = join(root, name);
    const offset = table.offset[row] ?? 0;
    try {
      const value = objectFrom(parseJson(readText(path, offset, table.length[row] ?? 0)));
      const checked = value === undefined ? undefined : recordFrom(value);
      if (typeof checked === 'object') return checked;
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
