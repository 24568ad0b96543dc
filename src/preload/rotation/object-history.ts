import type { StateRule } from '../../core/adapters/contract.js';
import { isInside, type KeptCall, memberOf, type StorageId } from './kept-call.js';

/** Which of the kept calls make the state of one object: the same calls as `src/core/plan` has a replay run for it. */
export class ObjectHistory {
  readonly className: string;
  /** Somebody was told that its state is lost. */
  isTold = false;
  rule: StateRule = 'full';
  /** Calls of its state that are dropped. From the first on, what is called later can't be replayed. */
  lost = 0;
  /** What is kept of its state. */
  calls = 0;
  bytes = 0;
  /** Memory that its constructor was given and may have kept. */
  keeps: readonly StorageId[] = [];
  #creator: KeptCall | undefined;
  #isAlive: () => boolean = () => false;
  /** Calls that had the object while its maker was at work. */
  readonly #early = new Set<KeptCall>();
  /** Completed calls that are, with all that they need, the whole state of an object that every call may change. */
  readonly #newest = new Set<KeptCall>();
  readonly #pending = new Set<KeptCall>();
  /** By method, for rules that name methods. */
  readonly #latest = new Map<string, KeptCall>();

  constructor(className: string) {
    this.className = className;
  }

  get isLost(): boolean {
    return this.lost > 0;
  }

  /** It is a constructor's alone, and the program may go on using it. */
  get isWorthItsCreator(): boolean {
    return this.rule === 'stateless' && !this.isLost && this.#isAlive();
  }

  /** What a call that is about to begin needs of the object. */
  *needsOf(functionName: string, isSelf: boolean): Generator<KeptCall> {
    if (this.#creator !== undefined) yield this.#creator;
    if (this.rule === 'stateless') return;
    yield* this.#pending;
    if (this.rule === 'full') yield* this.#newest;
    else if (!isSelf || !this.rule.latest.includes(functionName.slice(functionName.lastIndexOf('.') + 1)))
      yield* this.#latest.values();
  }

  noteBegin(call: KeptCall): void {
    if (this.#creator === undefined && !this.isLost) this.#early.add(call);
    this.notePending(call);
  }

  /** The call may change the object until it ends. */
  notePending(call: KeptCall): void {
    if (this.rule === 'stateless' || this.isLost || this.#pending.has(call)) return;
    this.#pending.add(call);
    call.pendingIn.push(this);
  }

  noteEnd(call: KeptCall): void {
    this.#pending.delete(call);
  }

  /** The call made the object. Gives those that had it before. */
  setCreator(call: KeptCall, rule: StateRule, object: object): Iterable<KeptCall> {
    const reference = new WeakRef(object);
    this.#creator = call;
    this.#isAlive = () => reference.deref() !== undefined;
    this.rule = rule;
    this.#leaveOutInside(call);
    const early = [...this.#early];
    this.#early.clear();
    return early;
  }

  isCreator(call: KeptCall): boolean {
    return this.#creator === call;
  }

  /** A completed call is part of the state from now on. False where it is not. */
  addChange(call: KeptCall): boolean {
    if (this.isLost || this.rule === 'stateless' || this.isCreator(call)) return false;
    if (this.rule !== 'full') {
      const member = memberOf(call);
      if (!this.rule.latest.includes(member)) return false;
      if ((this.#latest.get(member)?.sequence ?? 0) < call.sequence) this.#latest.set(member, call);
      return true;
    }
    if (call.uses.includes(this)) this.#leaveOutInside(call);
    for (const older of this.#newest) if (call.needs.includes(older)) this.#newest.delete(older);
    this.#newest.add(call);
    return true;
  }

  /** What ran inside a call that has or makes the object is done again by that call's replay. */
  #leaveOutInside(call: KeptCall): void {
    for (const inner of this.#newest) {
      // A constructor runs by itself too, so that its own object is there.
      const isMaker = inner.madeStateOf.some((history) => history.isCreator(inner));
      if (isMaker || !isInside(inner, call)) continue;
      this.#newest.delete(inner);
      this.calls -= 1;
      this.bytes -= inner.bytes;
      inner.madeStateOf.splice(inner.madeStateOf.indexOf(this), 1);
      // What it stood for stands for itself again.
      for (const older of inner.needs) {
        if (older.madeStateOf.includes(this) && !this.isCreator(older)) this.#newest.add(older);
      }
    }
  }

  /** The newest call of the state that no other kept one needs. */
  newestUnneeded(): KeptCall | undefined {
    for (const call of [...this.#newest].reverse()) if (call.neededBy === 0 && !call.isPending) return call;
    return undefined;
  }

  /** The call is dropped. */
  forget(call: KeptCall): void {
    this.calls -= 1;
    this.bytes -= call.bytes;
    const isState = this.rule === 'full' || this.isCreator(call) || this.#latest.get(memberOf(call)) === call;
    if (isState) this.lose(1);
  }

  /** So many calls of the state are gone: nothing called from now on can be replayed. */
  lose(calls: number): void {
    this.lost += calls;
    this.#creator = undefined;
    this.#newest.clear();
    this.#pending.clear();
    this.#latest.clear();
  }

  forgetEarly(call: KeptCall): void {
    this.#early.delete(call);
  }
}
