import type { MemberKind } from '../model/call.js';
import { NameTable } from './name-table.js';
import { problemOf } from './problems.js';
import type { RecordHead } from './record-head.js';
import { StringPool } from './string-pool.js';
import type { CallEntry, CallStatus } from './types.js';

const STATUS_NAMES: readonly CallStatus[] = [
  'no_record',
  'graph_capture_pending_flush',
  'inputs_saved',
  'completed',
  'failed',
];
const KIND_NAMES: readonly MemberKind[] = ['function', 'constructor', 'method', 'static'];

/** `file` of a record that stands in the dump's own metadata.jsonl, or metadata.json. */
export const IN_METADATA = 0xffffffff;
export const IN_OLD_METADATA = 0xfffffffe;

const NO_PARENT = 0xffffffff;
const UNKNOWN_PARENT = 0xfffffffe;
const FIRST_CAPACITY = 1024;

/**
 * The calls of a session as columns, a row for each dump directory in the order in which they were met: some 150
 * bytes a call with its name, so that a session of a million calls can be opened.
 */
export class CallTable {
  readonly strings = new StringPool();
  /** Names of the dump directories, by row. */
  readonly dumps = new NameTable();
  /** Where the last record is: an index file by number or IN_METADATA, its offset and length there, its checksum. */
  file = new Uint32Array(FIRST_CAPACITY);
  offset = new Float64Array(FIRST_CAPACITY);
  length = new Uint32Array(FIRST_CAPACITY);
  checksum = new Uint32Array(FIRST_CAPACITY);
  /** Where the first record is in the index file that named the call. */
  firstOffset = new Float64Array(FIRST_CAPACITY);
  startedMs = new Float64Array(FIRST_CAPACITY);
  functionId = new Uint32Array(FIRST_CAPACITY);
  moduleId = new Uint32Array(FIRST_CAPACITY);
  pid = new Uint32Array(FIRST_CAPACITY);
  callSequence = new Uint32Array(FIRST_CAPACITY);
  /** Of fir's processes; assigned after ordering for the others, where fir did not note one. */
  processId = new Uint32Array(FIRST_CAPACITY);
  sequence = new Uint32Array(FIRST_CAPACITY);
  parent = new Uint32Array(FIRST_CAPACITY);
  /** NaN: none, or in `bigSelfIds`. */
  selfId = new Float64Array(FIRST_CAPACITY);
  selfClassId = new Uint32Array(FIRST_CAPACITY);
  generation = new Uint32Array(FIRST_CAPACITY);
  number = new Uint32Array(FIRST_CAPACITY);
  status = new Uint8Array(FIRST_CAPACITY);
  kind = new Uint8Array(FIRST_CAPACITY);
  constructs = new Uint8Array(FIRST_CAPACITY);
  isFir = new Uint8Array(FIRST_CAPACITY);
  graphCapture = new Uint8Array(FIRST_CAPACITY);
  /** The index tells of the call's start or end twice: another call may have been recorded in its place. */
  isDoubtful = new Uint8Array(FIRST_CAPACITY);
  problem = new Uint8Array(FIRST_CAPACITY);
  readonly bigSelfIds = new Map<number, bigint>();
  readonly #none = this.strings.idOf('');

  get size(): number {
    return this.dumps.size;
  }

  rowOf(dump: string): number | undefined {
    return this.dumps.find(dump);
  }

  /** A new row with status `no_record`. */
  add(dump: string): number {
    const row = this.dumps.add(dump);
    if (row === this.file.length) this.#grow();
    this.selfId[row] = Number.NaN;
    this.startedMs[row] = Number.NaN;
    this.parent[row] = UNKNOWN_PARENT;
    this.functionId[row] = this.#none;
    return row;
  }

  /** Takes over what the record says; where the record stands is the caller's to set. */
  setHead(row: number, head: RecordHead): void {
    const { strings } = this;
    this.functionId[row] = strings.idOf(head.functionName);
    this.moduleId[row] = strings.idOf(head.module);
    this.pid[row] = head.pid;
    this.callSequence[row] = head.callSequence;
    this.status[row] = STATUS_NAMES.indexOf(head.status);
    this.kind[row] = KIND_NAMES.indexOf(head.kind);
    if (Number.isNaN(this.startedMs[row])) this.startedMs[row] = head.startedMs;
    this.bigSelfIds.delete(row);
    if (typeof head.selfId === 'bigint') this.bigSelfIds.set(row, head.selfId);
    this.selfId[row] = typeof head.selfId === 'number' ? head.selfId : Number.NaN;
    this.selfClassId[row] = strings.idOf(head.selfClass ?? '');
    this.graphCapture[row] = head.graphCapture ? 1 : 0;
    const { fir } = head;
    this.isFir[row] = fir === undefined ? 0 : 1;
    this.constructs[row] = head.kind === 'constructor' || fir?.constructs === true ? 1 : 0;
    if (head.foreignProcess !== undefined) this.processId[row] = strings.idOf(head.foreignProcess);
    if (fir === undefined) return;
    this.processId[row] = strings.idOf(fir.processUid);
    this.sequence[row] = fir.sequence;
    this.parent[row] =
      fir.parent === null ? NO_PARENT : fir.parent === 'unknown' ? UNKNOWN_PARENT : fir.parent;
  }

  statusOf(row: number): CallStatus {
    return STATUS_NAMES[this.status[row] ?? 0] ?? 'no_record';
  }

  selfIdOf(row: number): number | bigint | undefined {
    const id = this.selfId[row];
    return id === undefined || Number.isNaN(id) ? this.bigSelfIds.get(row) : id;
  }

  setParent(row: number, sequence: number): void {
    this.parent[row] = sequence;
  }

  /** Undefined where nobody named one yet. */
  processOf(row: number): string | undefined {
    const id = this.processId[row] ?? this.#none;
    return id === this.#none ? undefined : this.strings.at(id);
  }

  /** Sequence of the call that this one ran inside, where one is known. */
  parentOf(row: number): number | undefined {
    const parent = this.parent[row] ?? UNKNOWN_PARENT;
    return parent === NO_PARENT || parent === UNKNOWN_PARENT ? undefined : parent;
  }

  entry(row: number): CallEntry {
    return new CallRow(this, row);
  }

  #grow(): void {
    const capacity = this.file.length * 2;
    this.file = grown(this.file, new Uint32Array(capacity));
    this.offset = grown(this.offset, new Float64Array(capacity));
    this.length = grown(this.length, new Uint32Array(capacity));
    this.checksum = grown(this.checksum, new Uint32Array(capacity));
    this.firstOffset = grown(this.firstOffset, new Float64Array(capacity));
    this.startedMs = grown(this.startedMs, new Float64Array(capacity));
    this.functionId = grown(this.functionId, new Uint32Array(capacity));
    this.moduleId = grown(this.moduleId, new Uint32Array(capacity));
    this.pid = grown(this.pid, new Uint32Array(capacity));
    this.callSequence = grown(this.callSequence, new Uint32Array(capacity));
    this.processId = grown(this.processId, new Uint32Array(capacity));
    this.sequence = grown(this.sequence, new Uint32Array(capacity));
    this.parent = grown(this.parent, new Uint32Array(capacity));
    this.selfId = grown(this.selfId, new Float64Array(capacity));
    this.selfClassId = grown(this.selfClassId, new Uint32Array(capacity));
    this.generation = grown(this.generation, new Uint32Array(capacity));
    this.number = grown(this.number, new Uint32Array(capacity));
    this.status = grown(this.status, new Uint8Array(capacity));
    this.kind = grown(this.kind, new Uint8Array(capacity));
    this.constructs = grown(this.constructs, new Uint8Array(capacity));
    this.isFir = grown(this.isFir, new Uint8Array(capacity));
    this.graphCapture = grown(this.graphCapture, new Uint8Array(capacity));
    this.isDoubtful = grown(this.isDoubtful, new Uint8Array(capacity));
    this.problem = grown(this.problem, new Uint8Array(capacity));
  }
}

function grown<T extends Uint8Array | Uint32Array | Float64Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

class CallRow implements CallEntry {
  readonly #table: CallTable;
  readonly #row: number;

  constructor(table: CallTable, row: number) {
    this.#table = table;
    this.#row = row;
  }

  get number(): number {
    return this.#table.number[this.#row] ?? 0;
  }
  get dump(): string {
    return this.#table.dumps.at(this.#row);
  }
  get functionName(): string {
    return this.#table.strings.at(this.#table.functionId[this.#row] ?? 0);
  }
  get module(): string {
    return this.#table.strings.at(this.#table.moduleId[this.#row] ?? 0);
  }
  get pid(): number {
    return this.#table.pid[this.#row] ?? 0;
  }
  get processUid(): string {
    return this.#table.strings.at(this.#table.processId[this.#row] ?? 0);
  }
  get sequence(): number {
    return this.#table.sequence[this.#row] ?? 0;
  }
  get status(): CallStatus {
    return this.#table.statusOf(this.#row);
  }
  get startedMs(): number | undefined {
    const started = this.#table.startedMs[this.#row] ?? Number.NaN;
    return Number.isNaN(started) ? undefined : started;
  }
  get kind(): MemberKind {
    return KIND_NAMES[this.#table.kind[this.#row] ?? 0] ?? 'function';
  }
  get selfId(): number | bigint | undefined {
    return this.#table.selfIdOf(this.#row);
  }
  get selfClass(): string | undefined {
    return this.#table.strings.at(this.#table.selfClassId[this.#row] ?? 0) || undefined;
  }
  get constructs(): boolean {
    return this.#table.constructs[this.#row] === 1;
  }
  get generation(): number | undefined {
    return this.selfId === undefined ? undefined : this.#table.generation[this.#row];
  }
  get parent(): number | null | 'unknown' {
    const parent = this.#table.parent[this.#row] ?? UNKNOWN_PARENT;
    return parent === NO_PARENT ? null : parent === UNKNOWN_PARENT ? 'unknown' : parent;
  }
  get recorder(): 'fir' | 'foreign' {
    return this.#table.isFir[this.#row] === 1 ? 'fir' : 'foreign';
  }
  get graphCapture(): boolean {
    return this.#table.graphCapture[this.#row] === 1;
  }
  get problem(): string | undefined {
    return problemOf(this.#table.problem[this.#row] ?? 0)?.text;
  }
}
