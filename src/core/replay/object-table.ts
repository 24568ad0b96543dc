import type { NamedObject } from './protocol.js';

interface LiveObject {
  object: object;
  dispose: ((object: object) => Promise<void> | void) | undefined;
}

/** The live objects that planned calls still need. */
export class ObjectTable {
  readonly #byKey = new Map<string, LiveObject>();
  readonly #names = new WeakMap<object, NamedObject>();

  bind(name: NamedObject, object: object, dispose: LiveObject['dispose']): void {
    this.#byKey.set(name.key, { object, dispose });
    this.#names.set(object, name);
  }

  find(key: string): object | undefined {
    return this.#byKey.get(key)?.object;
  }

  nameOf(object: object): NamedObject | undefined {
    return this.#names.get(object);
  }

  /** Lets go of objects. What their disposal throws is not the replay's. */
  async drop(keys: readonly string[]): Promise<void> {
    for (const key of keys) {
      const live = this.#byKey.get(key);
      this.#byKey.delete(key);
      try {
        await live?.dispose?.(live.object);
      } catch {
        // The object is gone either way.
      }
    }
  }
}
