import { memberOf } from './member-of.js';
import type { ProcessObjects } from './process-objects.js';
import type { PlanCall, PlanObject } from './types.js';

/** Positions of the calls that make the state which the given ones need, each before `limit`. */
export function stateClosure(process: ProcessObjects, from: readonly number[], limit: number): Set<number> {
  const closure = new Set<number>();
  const queue = [...from];
  const addedBefore = new Map<PlanObject, number>();
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const position = Math.min(next, limit);
    for (const object of process.uses.get(next) ?? []) {
      // Everything before an earlier look at a `full` object is in already.
      if (object.rule === 'full' && (addedBefore.get(object) ?? -1) >= position) continue;
      addedBefore.set(object, position);
      const needed = statePositions(process, object, next, position);
      if (object.creator !== undefined) needed.push(object.creator);
      for (const at of needed) {
        if (at >= limit || closure.has(at)) continue;
        closure.add(at);
        queue.push(at);
      }
    }
  }
  return closure;
}

/**
 * Calls before `end` that make the state which an object has for the call at `user`, beside its creator, ascending.
 * A call of a method that makes the state needs none: it makes it anew.
 */
export function statePositions(
  process: ProcessObjects,
  object: PlanObject,
  user: number,
  end: number,
): number[] {
  const { rule, touches } = object;
  if (rule === 'stateless' || !canBeMade(process, object)) return [];
  if (rule === 'full') return touches.slice(0, lowerBound(touches, end));
  if (
    isReceiver(process, object, user) &&
    rule.latest.includes(memberOf(callAt(process, user).functionName))
  ) {
    return [];
  }
  const found = new Set<number>();
  for (const makers of object.makers.values()) {
    const last = makers[lowerBound(makers, end, ({ position }) => position) - 1];
    if (last !== undefined && last.root !== object.creator) found.add(last.root);
  }
  return [...found].sort((a, b) => a - b);
}

/** No history helps a call whose object is not there. */
function canBeMade(process: ProcessObjects, { creator }: PlanObject): boolean {
  return creator !== undefined && callAt(process, creator).status === 'completed';
}

/** Index of the first value that is not below `bound`; `keyOf` gives what the values are sorted by. */
export function lowerBound(sorted: readonly number[], bound: number): number;
export function lowerBound<T>(sorted: readonly T[], bound: number, keyOf: (value: T) => number): number;
export function lowerBound(
  sorted: readonly number[],
  bound: number,
  keyOf: (value: number) => number = (value) => value,
): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (keyOf(sorted[middle] ?? bound) < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}

function isReceiver(process: ProcessObjects, object: PlanObject, position: number): boolean {
  return callAt(process, position).kind === 'method' && process.uses.get(position)?.[0] === object;
}

export function callAt(process: ProcessObjects, position: number): PlanCall {
  const call = process.calls[position];
  if (call === undefined) throw new RangeError(`no call at ${position}`);
  return call;
}
