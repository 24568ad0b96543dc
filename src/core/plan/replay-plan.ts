import type { Language } from '../executors/index.js';
import { ProcessObjects } from './process-objects.js';
import { processesOf } from './processes-of.js';
import { callAt, lowerBound, stateClosure, statePositions } from './state-positions.js';
import type { PlanCall, PlanObject, PlanSource } from './types.js';

/** One call of a lane. Only selected calls are reported; the others make the state that those need. */
export interface PlanStep {
  call: number;
  isSelected: boolean;
  /** The call whose replay executes this one. */
  coveredBy?: number;
  /** The call inside which this one may have run, so that its own replay might change an object twice. */
  ambiguousWith?: number;
}

/** Steps of one worker, in order: those of a recorded process, or of all processes without objects. */
export interface PlanLane {
  language: Language;
  steps: readonly PlanStep[];
}

interface Place {
  process: ProcessObjects;
  position: number;
}

/** In which order the selected calls run, and what each of them needs. Data in, data out: nothing is read or run. */
export class ReplayPlan {
  readonly lanes: readonly PlanLane[];
  readonly #places = new Map<number, Place>();

  constructor(source: PlanSource, selected: ReadonlySet<number>) {
    const processes = processesOf(source.calls, selected).map((calls) => new ProcessObjects(calls, source));
    for (const process of processes) {
      process.calls.forEach((call, position) => {
        this.#places.set(call.number, { process, position });
      });
    }
    this.lanes = planLanes(processes, selected, source, (call) => this.objectsOf(call).length > 0);
  }

  /** Objects that must be alive before the call. */
  usesOf(call: number): readonly PlanObject[] {
    const place = this.#places.get(call);
    return place?.process.uses.get(place.position) ?? [];
  }

  /** Objects that the call's replay makes. */
  makesOf(call: number): readonly PlanObject[] {
    const place = this.#places.get(call);
    return place?.process.makes.get(place.position) ?? [];
  }

  objectsOf(call: number): readonly PlanObject[] {
    return [...this.usesOf(call), ...this.makesOf(call)];
  }

  /** Objects whose state the call makes or changes. */
  changesOf(call: number): readonly PlanObject[] {
    const place = this.#places.get(call);
    return place?.process.changes.get(place.position) ?? [];
  }

  /**
   * Calls that must run in a fresh worker so that the given ones find their objects as they were, in order: those
   * before each of them, and before `limit` where that is given.
   */
  stateFor(calls: Iterable<number>, limit?: number): number[] {
    const bound = limit === undefined ? undefined : this.#places.get(limit);
    const positions = new Map<ProcessObjects, number[]>();
    for (const call of calls) {
      const place = this.#places.get(call);
      if (place === undefined) continue;
      const known = positions.get(place.process);
      if (known === undefined) positions.set(place.process, [place.position]);
      else known.push(place.position);
    }
    return [...positions].flatMap(([process, from]) => {
      const before = bound?.process === process ? bound.position : Number.POSITIVE_INFINITY;
      const closure = [...stateClosure(process, from, before)].sort((a, b) => a - b);
      return closure.map((position) => callAt(process, position).number);
    });
  }

  /** The call that makes an object which the given call uses; undefined where the session has none. */
  creatorOf(object: PlanObject, user: number): PlanCall | undefined {
    const process = this.#places.get(user)?.process;
    return object.creator === undefined || process === undefined
      ? undefined
      : callAt(process, object.creator);
  }

  /** A call of the processes that the selection is of. */
  callOf(call: number): PlanCall | undefined {
    const place = this.#places.get(call);
    return place === undefined ? undefined : callAt(place.process, place.position);
  }

  /** Whether call `earlier` is part of the state that an object has for call `user`. */
  isStateOf(object: PlanObject, earlier: number, user: number): boolean {
    const place = this.#places.get(user);
    const other = this.#places.get(earlier);
    if (place === undefined || other?.process !== place.process || other.position >= place.position)
      return false;
    if (object.creator === other.position) return true;
    if (object.rule === 'full')
      return object.touches[lowerBound(object.touches, other.position)] === other.position;
    return statePositions(place.process, object, place.position, place.position).includes(other.position);
  }
}

function planLanes(
  processes: readonly ProcessObjects[],
  selected: ReadonlySet<number>,
  source: PlanSource,
  hasObjects: (call: number) => boolean,
): PlanLane[] {
  const lanes: PlanLane[] = [];
  const shared = new Map<Language, PlanStep[]>();
  for (const process of processes) {
    const steps = stepsByLanguage(process, planSteps(process, selected), source);
    for (const [language, own] of steps) {
      const needsProcess = own.some(({ call }) => hasObjects(call));
      const known = shared.get(language);
      if (needsProcess) lanes.push({ language, steps: own });
      else if (known === undefined) shared.set(language, own);
      else known.push(...own);
    }
  }
  for (const [language, steps] of shared) lanes.push({ language, steps });
  return lanes;
}

/** A stand-in in another language takes the calls of its function out of their process. */
function stepsByLanguage(
  process: ProcessObjects,
  steps: readonly PlanStep[],
  source: PlanSource,
): Map<Language, PlanStep[]> {
  const calls = new Map(process.calls.map((call) => [call.number, call]));
  const found = new Map<Language, PlanStep[]>();
  for (const step of steps) {
    const call = calls.get(step.call);
    const language = call === undefined ? 'javascript' : source.languageOf(call);
    const own = found.get(language);
    if (own === undefined) found.set(language, [step]);
    else own.push(step);
  }
  return found;
}

function planSteps(process: ProcessObjects, selected: ReadonlySet<number>): PlanStep[] {
  const { calls, coveredBy, ambiguousWith } = process;
  const executed = new Set<number>();
  calls.forEach((call, position) => {
    if (selected.has(call.number)) executed.add(coveredBy.get(position) ?? position);
  });
  for (const position of stateClosure(process, [...executed], Number.POSITIVE_INFINITY))
    executed.add(position);
  const steps: PlanStep[] = [];
  calls.forEach((call, position) => {
    const isSelected = selected.has(call.number);
    if (!isSelected && !executed.has(position)) return;
    const root = coveredBy.get(position);
    const around = ambiguousWith.get(position);
    steps.push({
      call: call.number,
      isSelected,
      ...(root === undefined ? {} : { coveredBy: callAt(process, root).number }),
      ...(around === undefined ? {} : { ambiguousWith: callAt(process, around).number }),
    });
  });
  return steps;
}
