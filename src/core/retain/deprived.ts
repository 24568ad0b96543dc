import type { ProcessObjects } from '../plan/process-objects.js';
import { callAt, lowerBound, statePositions } from '../plan/state-positions.js';
import type { PlanObject } from '../plan/types.js';

/**
 * Which calls of one process would not replay, or not as they did, were there no calls but `kept`: something that they
 * need is not kept, or needs such a thing itself. Calls are positions, ascending.
 */
export function deprivedAmong(process: ProcessObjects, kept: readonly number[]): number[] {
  const keeping = new Keeping(process, kept);
  return kept.filter((position) => keeping.isDeprived(position));
}

class Keeping {
  readonly #process: ProcessObjects;
  readonly #kept: ReadonlySet<number>;
  readonly #deprived = new Set<number>();
  /** Of an object whose whole history counts: how much of that was looked at, and whether all of it was whole. */
  readonly #histories = new Map<PlanObject, { looked: number; isWhole: boolean }>();

  constructor(process: ProcessObjects, kept: readonly number[]) {
    this.#process = process;
    this.#kept = new Set(kept);
  }

  /** To be asked in ascending order: a call needs earlier ones. */
  isDeprived(position: number): boolean {
    const isWhole = this.#hasAround(position) && this.#hasObjects(position);
    if (!isWhole) this.#deprived.add(position);
    return !isWhole;
  }

  #isWhole(position: number): boolean {
    return this.#kept.has(position) && !this.#deprived.has(position);
  }

  #hasAround(position: number): boolean {
    const pending = this.#process.ambiguousWith.get(position);
    if (pending !== undefined && !this.#kept.has(pending)) return false;
    const root = this.#process.coveredBy.get(position);
    if (root === undefined) return true;
    for (let at = this.#process.parentOf(position); at >= root; at = this.#process.parentOf(at)) {
      if (!this.#isWhole(at)) return false;
    }
    return true;
  }

  #hasObjects(position: number): boolean {
    return (this.#process.uses.get(position) ?? []).every((object) => this.#hasState(object, position));
  }

  #hasState(object: PlanObject, user: number): boolean {
    const { creator, constructedBy } = object;
    // With or without the others it can't be made.
    if (creator === undefined || callAt(this.#process, creator).status !== 'completed') return true;
    if (!this.#isWhole(creator)) return false;
    if (constructedBy !== undefined && !this.#kept.has(constructedBy)) return false;
    if (object.rule === 'full') return this.#hasHistory(object, user);
    return statePositions(this.#process, object, user, user).every((position) => this.#isWhole(position));
  }

  #hasHistory(object: PlanObject, user: number): boolean {
    const history = this.#histories.get(object) ?? { looked: 0, isWhole: true };
    this.#histories.set(object, history);
    const end = lowerBound(object.touches, user);
    for (; history.isWhole && history.looked < end; history.looked++) {
      history.isWhole = this.#isWhole(object.touches[history.looked] ?? 0);
    }
    return history.isWhole;
  }
}
