import type { StateRule } from '../../core/adapters/contract.js';
import type { RecordedObject } from '../object-table.js';
import { addNeed, type KeptCall, type StorageId } from './kept-call.js';
import { ObjectHistory } from './object-history.js';
import { OldestFirst } from './oldest-first.js';

export interface CallStart {
  sequence: number;
  functionName: string;
  dump: string;
  startedAt: number;
  /** Sequence of the recorded call around it, where one is known. */
  parent: number | undefined;
  self: RecordedObject | undefined;
  /** Recorded objects in its arguments. */
  objects: Iterable<RecordedObject>;
  /** Memory of its arguments that it may write to, by tensor key. */
  memory: ReadonlyMap<string, StorageId>;
  /** Calls of the state of its objects that were never recorded. */
  lostCalls: number;
}

const NO_MEMORY: ReadonlyMap<string, StorageId> = new Map();

/** How much may be kept, of calls and of bytes. */
export interface Share {
  calls: number;
  bytes: number;
}

/**
 * The calls of this thread that are kept, and what each of them needs: the calls that made the state of its objects,
 * as `src/core/plan` follows them, and the calls that it ran inside. Only calls that no kept one needs are ever dropped,
 * so at any instant every kept call can be replayed. Data only: files are the caller's.
 */
export class CallRing {
  /** Of the directories of all kept calls. */
  bytes = 0;
  readonly #calls = new Map<number, KeptCall>();
  readonly #histories = new WeakMap<RecordedObject, ObjectHistory>();
  /** Objects by the memory that they may have kept. */
  readonly #keepers = new Map<StorageId, Set<ObjectHistory>>();
  readonly #unneeded = new OldestFirst<KeptCall>();
  readonly #byFunction: Map<string, Set<KeptCall>> | undefined;
  /** Calls that made objects which the program may go on using, though no kept call does: the oldest first. */
  readonly #spared = new Set<KeptCall>();
  #sparedBytes = 0;
  #lastSequence = 0;
  #mostCalls: ObjectHistory | undefined;
  #mostBytes: ObjectHistory | undefined;

  constructor({ countsFunctions = false }: { countsFunctions?: boolean } = {}) {
    if (countsFunctions) this.#byFunction = new Map();
  }

  get size(): number {
    return this.#calls.size;
  }

  /** When the oldest call that may be dropped began; undefined where none may. */
  get oldestStart(): number | undefined {
    return this.#oldestUnneeded()?.startedAt;
  }

  begin(start: CallStart): KeptCall {
    const self = start.self === undefined ? undefined : this.#historyOf(start.self);
    const uses = new Set(self === undefined ? [] : [self]);
    for (const object of start.objects) uses.add(this.#historyOf(object));
    const call: KeptCall = {
      sequence: start.sequence,
      functionName: start.functionName,
      dump: start.dump,
      startedAt: start.startedAt,
      parent: start.parent === undefined ? undefined : this.#calls.get(start.parent),
      self,
      uses: [...uses],
      memory: start.memory,
      writes: [...new Set(start.memory.values())],
      lostCalls: Math.max(start.lostCalls, ...[...uses].map(({ lost }) => lost)),
      needs: [],
      neededBy: 0,
      isPending: true,
      isDropped: false,
      bytes: 0,
      pendingIn: [],
      madeStateOf: [],
      lines: [],
    };
    addNeed(call, call.parent);
    for (const history of uses) {
      for (const needed of history.needsOf(call.functionName, history === self)) addNeed(call, needed);
      // What it does to its other objects can't be done again either.
      if (call.lostCalls > 0 && !history.isLost && history.rule !== 'stateless') {
        this.#lose(history, call.lostCalls);
      }
      history.noteBegin(call);
    }
    for (const history of this.#keepersOf([...call.writes, ...keptBy(uses)])) {
      if (call.lostCalls > 0) this.#lose(history, call.lostCalls);
      else history.notePending(call);
    }
    this.#lastSequence = call.sequence;
    this.#calls.set(call.sequence, call);
    this.#ofFunction(call.functionName)?.add(call);
    return call;
  }

  /** A call is not recorded at all: what it did to its objects can't be done again. */
  leaveOut(objects: Iterable<RecordedObject>, memory: ReadonlyMap<string, StorageId>): void {
    const histories = [...objects].map((object) => this.#historyOf(object));
    this.breakOff({ uses: histories, writes: [...memory.values()] });
  }

  /** The call made an object, which may have kept memory of its arguments. To be told before the call's end. */
  made(call: KeptCall, object: object, recorded: RecordedObject, rule: StateRule): void {
    const history = this.#historyOf(recorded);
    for (const user of history.setCreator(call, rule, object)) addNeed(user, call);
    call.madeStateOf.push(history);
    if (call.lostCalls > 0) history.lose(call.lostCalls);
    if (rule !== 'full' || call.writes.length === 0) return;
    history.keeps = call.writes;
    if (history.isLost) return;
    for (const storage of call.writes) {
      const keepers = this.#keepers.get(storage);
      if (keepers === undefined) this.#keepers.set(storage, new Set([history]));
      else keepers.add(history);
    }
    this.#noteSince(call, history);
  }

  /** `changed`: memory that the call changed through its arguments. Its bytes are final from now on. */
  end(call: KeptCall, hasCompleted: boolean, changed: readonly StorageId[]): void {
    call.isPending = false;
    call.memory = NO_MEMORY;
    for (const history of call.pendingIn) history.noteEnd(call);
    call.pendingIn.length = 0;
    const made = call.madeStateOf.slice();
    if (hasCompleted) {
      const storages = [...changed, ...keptBy(call.uses), ...keptBy(made)];
      for (const history of new Set([...call.uses, ...this.#keepersOf(storages)])) {
        if (call.lostCalls > 0 && !history.isLost) this.#lose(history, call.lostCalls);
        if (history.addChange(call)) call.madeStateOf.push(history);
      }
    }
    for (const history of call.madeStateOf) this.#count(history, call);
    if (call.neededBy === 0 && !call.isDropped) this.#unneeded.push(call);
  }

  /** Nobody will know that the call has ended. */
  breakOff({ uses, writes }: Pick<KeptCall, 'uses' | 'writes'>): void {
    for (const history of new Set([...uses, ...this.#keepersOf([...writes, ...keptBy(uses)])])) {
      if (history.rule !== 'stateless') this.#lose(history, 1);
    }
  }

  addBytes(call: KeptCall, bytes: number): void {
    call.bytes += bytes;
    this.bytes += bytes;
  }

  /**
   * The call to be dropped next: the oldest that no kept call needs. Where the history of one object takes more than
   * half of the share, it is the newest of that history, which ends it. Undefined where every call is needed.
   */
  victim(share: Share): KeptCall | undefined {
    for (const history of [this.#mostCalls, this.#mostBytes]) {
      if (history === undefined || history.isLost) continue;
      if (history.calls <= share.calls / 2 && history.bytes <= share.bytes / 2) continue;
      const newest = history.newestUnneeded();
      if (newest !== undefined) return newest;
    }
    const useless = this.#uselessSpared();
    if (useless !== undefined) return useless;
    for (let call = this.#oldestUnneeded(); call !== undefined; call = this.#oldestUnneeded()) {
      if (!this.#isWorthSparing(call, share)) return call;
      this.#unneeded.pop();
      this.#spared.add(call);
      this.#sparedBytes += call.bytes;
    }
    for (const call of this.#spared) if (call.neededBy === 0) return call;
    return undefined;
  }

  /** The oldest call of a function that may be dropped, where more than so many of them are kept. */
  victimOf(functionName: string, maxCalls: number): KeptCall | undefined {
    const calls = this.#ofFunction(functionName);
    if (calls === undefined || calls.size <= maxCalls) return undefined;
    for (const call of calls) if (call.neededBy === 0 && !call.isPending) return call;
    return undefined;
  }

  /** The call's directory is gone, or was never finished. */
  drop(call: KeptCall): void {
    call.isDropped = true;
    this.#calls.delete(call.sequence);
    this.#ofFunction(call.functionName)?.delete(call);
    if (this.#spared.delete(call)) this.#sparedBytes -= call.bytes;
    this.bytes -= call.bytes;
    for (const history of call.pendingIn) history.noteEnd(call);
    for (const history of call.uses) history.forgetEarly(call);
    for (const history of call.madeStateOf) {
      const wasLost = history.isLost;
      history.forget(call);
      if (history.isLost && !wasLost) this.#release(history);
    }
    for (const needed of call.needs) {
      needed.neededBy -= 1;
      if (needed.neededBy === 0 && !needed.isPending && !needed.isDropped) this.#unneeded.push(needed);
    }
  }

  #historyOf(object: RecordedObject): ObjectHistory {
    const known = this.#histories.get(object);
    if (known !== undefined) return known;
    const history = new ObjectHistory(object.class);
    this.#histories.set(object, history);
    return history;
  }

  #keepersOf(storages: readonly StorageId[]): Set<ObjectHistory> {
    const found = new Set<ObjectHistory>();
    if (this.#keepers.size === 0) return found;
    for (const storage of storages) {
      for (const history of this.#keepers.get(storage) ?? []) found.add(history);
    }
    return found;
  }

  /** Calls that began while a factory was at work may have written to memory that its object keeps. */
  #noteSince(maker: KeptCall, history: ObjectHistory): void {
    for (let sequence = maker.sequence + 1; sequence <= this.#lastSequence; sequence += 1) {
      const call = this.#calls.get(sequence);
      if (call === undefined) {
        // One that is dropped was perhaps among them.
        this.#lose(history, 1);
        return;
      }
      const mayChange = call.writes.some((storage) => history.keeps.includes(storage));
      if (!mayChange) continue;
      if (call.isPending) history.notePending(call);
      else if (history.addChange(call)) {
        call.madeStateOf.push(history);
        this.#count(history, call);
      }
    }
  }

  #lose(history: ObjectHistory, calls: number): void {
    history.lose(calls);
    this.#release(history);
  }

  /** Of an object whose state is lost nothing needs to be followed any more. */
  #release(history: ObjectHistory): void {
    for (const storage of history.keeps) {
      const keepers = this.#keepers.get(storage);
      keepers?.delete(history);
      if (keepers?.size === 0) this.#keepers.delete(storage);
    }
  }

  #count(history: ObjectHistory, call: KeptCall): void {
    history.calls += 1;
    history.bytes += call.bytes;
    if (history.isLost) return;
    const { calls = 0, isLost: isFormer = true } = this.#mostCalls ?? {};
    if (isFormer || history.calls > calls) this.#mostCalls = history;
    const { bytes = 0, isLost: isOld = true } = this.#mostBytes ?? {};
    if (isOld || history.bytes > bytes) this.#mostBytes = history;
  }

  #oldestUnneeded(): KeptCall | undefined {
    for (let call = this.#unneeded.peek(); call !== undefined; call = this.#unneeded.peek()) {
      if (!call.isDropped && call.neededBy === 0 && !this.#spared.has(call)) return call;
      this.#unneeded.pop();
    }
    return undefined;
  }

  /** Looks at one of the spared at a time: whether its object is still there. */
  #uselessSpared(): KeptCall | undefined {
    for (const call of this.#spared) {
      if (call.neededBy === 0 && !isWorthKeeping(call)) return call;
      this.#spared.delete(call);
      this.#spared.add(call);
      return undefined;
    }
    return undefined;
  }

  /** Up to a quarter of the share may go to what made objects that are still in use, however rarely. */
  #isWorthSparing(call: KeptCall, share: Share): boolean {
    return (
      (this.#spared.size + 1) * 4 <= share.calls &&
      (this.#sparedBytes + call.bytes) * 4 <= share.bytes &&
      isWorthKeeping(call)
    );
  }

  #ofFunction(functionName: string): Set<KeptCall> | undefined {
    const known = this.#byFunction?.get(functionName);
    if (known !== undefined || this.#byFunction === undefined) return known;
    const calls = new Set<KeptCall>();
    this.#byFunction.set(functionName, calls);
    return calls;
  }
}

function keptBy(histories: Iterable<ObjectHistory>): StorageId[] {
  return [...histories].flatMap(({ keeps }) => keeps);
}

/** Whether the call made an object that the program may go on using, and that needs nothing else. */
function isWorthKeeping(call: KeptCall): boolean {
  return call.madeStateOf.some((history) => history.isWorthItsCreator && history.isCreator(call));
}
