import { memberOf } from './member-of.js';
import type { CallFacts, ObjectName, PlanCall, PlanObject, PlanSource } from './types.js';

/** Recursion deeper than this is not searched for the call that covers another. */
const MAX_NESTING = 4096;

/**
 * How the calls of one process hang together: which objects each one needs or makes, and which calls another one's
 * replay executes. Calls are positions in `calls`, which is in the order of their starts.
 */
export class ProcessObjects {
  readonly calls: readonly PlanCall[];
  /** Objects that must be alive before a call: its `self`, unless the call makes it, and those in its arguments. */
  readonly uses = new Map<number, readonly PlanObject[]>();
  readonly makes = new Map<number, readonly PlanObject[]>();
  /** Calls that the replay of an outer one executes, acting on the very same object. */
  readonly coveredBy = new Map<number, number>();
  /** Calls that may have run inside another one that has the same object: the recorder could not tell. */
  readonly ambiguousWith = new Map<number, number>();
  /** Objects whose state a call makes or changes. */
  readonly changes = new Map<number, PlanObject[]>();
  readonly #source: PlanSource;
  readonly #parents: Int32Array;
  readonly #current = new Map<string, PlanObject>();
  readonly #constructors = new Map<PlanObject, number>();
  readonly #touches = new Map<PlanObject, Set<number>>();
  /** Objects of unknown state by the memory that they were constructed over. */
  readonly #keepers = new Map<number | string, Set<PlanObject>>();
  readonly #kept = new Map<PlanObject, readonly (number | string)[]>();
  readonly #runnable = new Map<number, boolean>();
  /** Only where the recorder could not tell what a call ran inside does it count which calls overlapped. */
  readonly #hasUnknownParents: boolean;
  readonly #running = new Map<PlanObject, { position: number; endedUs: number }[]>();

  constructor(calls: readonly PlanCall[], source: PlanSource) {
    this.calls = calls;
    this.#source = source;
    this.#parents = parentsOf(calls);
    this.#hasUnknownParents = calls.some(({ parent }) => parent === 'unknown');
    calls.forEach((call, position) => {
      this.#add(call, position);
    });
    for (const [object, touches] of this.#touches) {
      if (object.creator !== undefined) touches.delete(object.creator);
      object.touches = [...touches].sort((a, b) => a - b);
      for (const position of object.creator === undefined ? touches : [object.creator, ...touches]) {
        const known = this.changes.get(position);
        if (known === undefined) this.changes.set(position, [object]);
        else known.push(object);
      }
    }
  }

  /** Position of the call that another ran inside; -1 where there is none. */
  parentOf(position: number): number {
    return this.#parents[position] ?? -1;
  }

  #add(call: PlanCall, position: number): void {
    const facts = this.#source.factsOf(call.number);
    const used = facts.argumentObjects.map((name) => this.#find(name, facts));
    let made: PlanObject | undefined;
    let root: number | undefined;
    if (call.selfId !== undefined) {
      const name = { selfId: String(call.selfId), className: classNameOf(call) };
      const outerConstructor = call.constructs ? this.#constructorAround(name, position) : undefined;
      if (outerConstructor !== undefined) root = this.coveredBy.get(outerConstructor) ?? outerConstructor;
      else if (call.constructs) made = this.#construct(name, position, facts);
      // A static method has the object that it gave back, which is no receiver.
      else if (call.kind === 'method') used.unshift(this.#find(name, facts));
    }
    const uses = used.length < 2 ? used : [...new Set(used)];
    root ??= this.#outermost(position, (outer) =>
      made === undefined
        ? uses.some((object) => object.rule !== 'stateless' && this.#actsOn(outer, object))
        : this.#returns(outer, made),
    );
    if (uses.length > 0) this.uses.set(position, uses);
    if (root !== undefined) this.coveredBy.set(position, root);
    else if (call.parent === 'unknown') this.#noteAmbiguity(position, uses, facts);
    if (made !== undefined) this.#setCreator(made, root ?? position);
    if (made?.rule === 'full') this.#keep(made, facts.keptStorages);
    if (call.status === 'completed') this.#touch(position, root, uses, made, facts);
    if (this.#hasUnknownParents) for (const object of uses) this.#noteRunning(object, position, facts);
  }

  #keep(object: PlanObject, storages: readonly (number | string)[]): void {
    this.#kept.set(object, storages);
    for (const storage of storages) {
      const keepers = this.#keepers.get(storage) ?? new Set();
      this.#keepers.set(storage, keepers.add(object));
    }
  }

  /** Of objects over one workspace, what a call does to one is done to all. */
  #changedBy(
    uses: readonly PlanObject[],
    made: PlanObject | undefined,
    facts: CallFacts,
  ): ReadonlySet<PlanObject> {
    const own = made === undefined ? uses : [...uses, made];
    const storages = [...facts.changedStorages, ...own.flatMap((object) => this.#kept.get(object) ?? [])];
    return new Set([...uses, ...storages.flatMap((storage) => [...(this.#keepers.get(storage) ?? [])])]);
  }

  #touch(
    position: number,
    root: number | undefined,
    uses: readonly PlanObject[],
    made: PlanObject | undefined,
    facts: CallFacts,
  ): void {
    for (const object of this.#keepers.size === 0 ? uses : this.#changedBy(uses, made, facts)) {
      // What it is, its creator alone made of it.
      if (object.rule === 'stateless') continue;
      this.#touchesOf(object).add(root ?? position);
      this.#noteMaker(object, position, root ?? position);
    }
  }

  #noteMaker(object: PlanObject, position: number, root: number): void {
    if (typeof object.rule === 'string') return;
    const member = memberOf(this.calls[position]?.functionName ?? '');
    if (!object.rule.latest.includes(member)) return;
    const known = object.makers.get(member);
    if (known === undefined) object.makers.set(member, [{ position, root }]);
    else known.push({ position, root });
  }

  #find(name: ObjectName, facts: CallFacts): PlanObject {
    return this.#current.get(keyOf(name)) ?? this.#start(name, facts);
  }

  #construct(name: ObjectName, position: number, facts: CallFacts): PlanObject {
    const object = this.#start(name, facts);
    this.#constructors.set(object, position);
    object.constructedBy = position;
    return object;
  }

  #start(name: ObjectName, facts: CallFacts): PlanObject {
    const rule = this.#source.ruleOf(name.className, facts.adapter);
    const key = `${this.calls[0]?.processUid}/${this.#touches.size + 1}`;
    const object: PlanObject = {
      ...name,
      key,
      rule,
      creator: undefined,
      constructedBy: undefined,
      touches: [],
      makers: new Map(),
    };
    this.#touches.set(object, new Set());
    this.#current.set(keyOf(name), object);
    return object;
  }

  #setCreator(object: PlanObject, position: number): void {
    object.creator = position;
    this.makes.set(position, [...(this.makes.get(position) ?? []), object]);
  }

  /** The constructor or factory of the same object that this constructor runs inside, as a subclass's or `create` does. */
  #constructorAround(name: ObjectName, position: number): number | undefined {
    const known = this.#current.get(keyOf(name));
    const madeBy = known === undefined ? undefined : this.#constructors.get(known);
    return madeBy !== undefined && this.#isInside(position, madeBy) ? madeBy : undefined;
  }

  /** The outermost call around this one that fits, and that none covers itself. */
  #outermost(position: number, fits: (outer: number) => boolean): number | undefined {
    let found: number | undefined;
    let outer = this.parentOf(position);
    for (let depth = 0; outer >= 0 && depth < MAX_NESTING; depth++) {
      if (fits(outer)) found = this.coveredBy.get(outer) ?? outer;
      outer = this.parentOf(outer);
    }
    return found;
  }

  #actsOn(outer: number, object: PlanObject): boolean {
    const has = this.uses.get(outer)?.includes(object) || this.#constructors.get(object) === outer;
    return has ? this.#isRunnable(outer) : this.#returns(outer, object);
  }

  /** Whether the object was constructed inside the outer call and is in its result. */
  #returns(outer: number, object: PlanObject): boolean {
    const madeBy = this.#constructors.get(object);
    if (madeBy === undefined || !this.#isInside(madeBy, outer)) return false;
    const { resultObjects } = this.#source.factsOf(this.#numberAt(outer));
    return resultObjects.some((name) => keyOf(name) === keyOf(object)) && this.#isRunnable(outer);
  }

  #isInside(position: number, outer: number): boolean {
    let at = this.parentOf(position);
    for (let depth = 0; at > outer && depth < MAX_NESTING; depth++) at = this.parentOf(at);
    return at === outer;
  }

  /** Many calls may have run inside one, and each asks. */
  #isRunnable(position: number): boolean {
    const number = this.#numberAt(position);
    const known = this.#runnable.get(number);
    if (known !== undefined) return known;
    const isRunnable = this.#source.isRunnable(number);
    this.#runnable.set(number, isRunnable);
    return isRunnable;
  }

  #numberAt(position: number): number {
    return this.calls[position]?.number ?? 0;
  }

  #touchesOf(object: PlanObject): Set<number> {
    return this.#touches.get(object) ?? new Set();
  }

  #noteAmbiguity(position: number, uses: readonly PlanObject[], facts: CallFacts): void {
    for (const object of uses) {
      if (object.rule === 'stateless') continue;
      const around = this.#running.get(object)?.find((other) => other.endedUs > facts.startedUs);
      if (around !== undefined) this.ambiguousWith.set(position, around.position);
    }
  }

  #noteRunning(object: PlanObject, position: number, facts: CallFacts): void {
    if (object.rule === 'stateless') return;
    const running = (this.#running.get(object) ?? []).filter((other) => other.endedUs > facts.startedUs);
    running.push({ position, endedUs: facts.endedUs });
    this.#running.set(object, running);
  }
}

/** Position of the call that each call ran inside, -1 where there is none. A parent that started later is a lie. */
function parentsOf(calls: readonly PlanCall[]): Int32Array {
  const bySequence = new Map(calls.map((call, position) => [call.sequence, position]));
  return Int32Array.from(calls, (call, position) => {
    const parent = typeof call.parent === 'number' ? bySequence.get(call.parent) : undefined;
    return parent !== undefined && parent < position ? parent : -1;
  });
}

function classNameOf(call: PlanCall): string {
  if (call.selfClass !== undefined) return call.selfClass;
  const dot = call.functionName.lastIndexOf('.');
  return dot < 0 ? call.functionName : call.functionName.slice(0, dot);
}

function keyOf(name: ObjectName): string {
  return `${name.selfId}:${name.className}`;
}
