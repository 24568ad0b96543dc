import { memberOf } from '../plan/member-of.js';
import type { ProcessObjects } from '../plan/process-objects.js';
import { callAt, lowerBound, statePositions } from '../plan/state-positions.js';
import type { PlanObject } from '../plan/types.js';
import { whyNotMade } from '../plan/why-not-made.js';

/**
 * What a call is to the one that needs it: it makes its object (`creator`) or that object's state (`state`); it ran
 * around it (`around`), or may have (`pending`).
 */
export type NeedKind = 'creator' | 'state' | 'around' | 'pending';

export interface AddedCall {
  call: number;
  neededBy: number;
  why: NeedKind;
  /** The same in words: `makes Attention object 3`. */
  reason: string;
}

/** A call that no closure lets run again, and why. */
export interface UnreadyCall {
  call: number;
  reason: string;
}

/**
 * Closes calls of one process over what they need. `views` are the process as it hangs together where every call that
 * could run does, and where none runs but for its own sake: which of them holds is only known at a replay, by what its
 * user allows. Calls are positions, the same ones in every view.
 */
export class Closing {
  readonly added: AddedCall[] = [];
  readonly unready: UnreadyCall[] = [];
  readonly #views: readonly ProcessObjects[];
  readonly #included = new Set<number>();
  readonly #queue: number[] = [];
  readonly #historyBefore = new Map<PlanObject, number>();

  constructor(views: readonly ProcessObjects[]) {
    this.#views = views;
  }

  /** The calls at `selected`, ascending, and whatever they need. */
  close(selected: readonly number[]): void {
    for (const position of selected) {
      this.#included.add(position);
      this.#queue.push(position);
    }
    // The queue grows while it is walked.
    for (let next = 0; next < this.#queue.length; next++) {
      for (const view of this.#views) this.#addNeeds(view, this.#queue[next] ?? 0, next < selected.length);
    }
  }

  #addNeeds(view: ProcessObjects, position: number, isSelected: boolean): void {
    this.#addAround(view, position);
    const pending = view.ambiguousWith.get(position);
    if (pending !== undefined)
      this.#add(view, pending, position, 'pending', 'was pending with the same object');
    for (const object of view.uses.get(position) ?? []) {
      const reason = this.#whyNotMade(view, object, position);
      if (object.creator !== undefined) {
        this.#add(view, object.creator, position, 'creator', `makes ${nameOf(object)}`);
      }
      // No state helps an object that is not there.
      if (reason === undefined) this.#addState(view, object, position);
      else if (isSelected && view === this.#views[0])
        this.#noteUnready(callAt(view, position).number, reason);
    }
  }

  /** Every call between this one and the outermost that executes it: without one of them nobody knew it ran inside. */
  #addAround(view: ProcessObjects, position: number): void {
    const root = view.coveredBy.get(position);
    if (root === undefined) return;
    for (let at = view.parentOf(position); at >= root; at = view.parentOf(at)) {
      this.#add(view, at, position, 'around', 'ran around it');
    }
  }

  #addState(view: ProcessObjects, object: PlanObject, user: number): void {
    const isFull = object.rule === 'full';
    const positions = isFull ? this.#newHistory(object, user) : statePositions(view, object, user, user);
    for (const position of positions) {
      const what = isFull ? 'full history' : `the last ${makerOf(view, object, position)} before it`;
      this.#add(view, position, user, 'state', `state of ${nameOf(object)}: ${what}`);
    }
  }

  /** Calls of the history of a `full` object that no earlier look at it has added. */
  #newHistory(object: PlanObject, user: number): readonly number[] {
    const end = lowerBound(object.touches, user);
    const begin = this.#historyBefore.get(object) ?? 0;
    if (end <= begin) return [];
    this.#historyBefore.set(object, end);
    return object.touches.slice(begin, end);
  }

  #noteUnready(call: number, reason: string): void {
    if (this.unready.at(-1)?.call !== call) this.unready.push({ call, reason });
  }

  #whyNotMade(view: ProcessObjects, object: PlanObject, user: number): string | undefined {
    const creator = object.creator === undefined ? undefined : callAt(view, object.creator);
    return whyNotMade(object, creator, callAt(view, user));
  }

  #add(view: ProcessObjects, position: number, user: number, why: NeedKind, reason: string): void {
    if (this.#included.has(position)) return;
    this.#included.add(position);
    this.#queue.push(position);
    const call = callAt(view, position).number;
    this.added.push({ call, neededBy: callAt(view, user).number, why, reason });
  }
}

function nameOf({ className, selfId }: PlanObject): string {
  return `${className} object ${selfId}`;
}

/** `plan`; of a call that makes the state by what runs inside it, all that may do so. */
function makerOf(view: ProcessObjects, { makers }: PlanObject, position: number): string {
  const member = memberOf(callAt(view, position).functionName);
  return makers.has(member) ? member : [...makers.keys()].join(' or ');
}
