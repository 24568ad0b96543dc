import type { ObjectTable, RecordedObject } from './object-table.js';

/** Objects that had calls which a limit left out: what is called on them later finds another state at replay. */
export class LeftOutCalls {
  readonly #objects: ObjectTable;
  readonly #counts = new WeakMap<RecordedObject, number>();
  readonly #stateless = new WeakSet<RecordedObject>();

  constructor(objects: ObjectTable) {
    this.#objects = objects;
  }

  /** Calls of the object never matter to later ones. */
  noteStateless(object: RecordedObject): void {
    this.#stateless.add(object);
  }

  /** A call is not recorded. Objects are looked for where they stand as arguments of their own. */
  note(self: object | undefined, args: readonly unknown[]): void {
    for (const value of [self, ...args]) {
      const object = typeof value === 'object' && value !== null ? this.#objects.find(value) : undefined;
      if (object === undefined || this.#stateless.has(object)) continue;
      this.#counts.set(object, (this.#counts.get(object) ?? 0) + 1);
    }
  }

  /** How many calls of the state of these objects are missing. */
  lostBy(self: RecordedObject | undefined, objects: Iterable<RecordedObject>): number {
    let lost = (self && this.#counts.get(self)) ?? 0;
    for (const object of objects) lost = Math.max(lost, this.#counts.get(object) ?? 0);
    return lost;
  }
}
