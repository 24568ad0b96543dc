import type { NamedObject } from './protocol.js';
import { StorageRegistry } from './storage-registry.js';

interface LiveObject {
  object: object;
  name: NamedObject;
  dispose: ((object: object) => Promise<void> | void) | undefined;
}

/** Objects and memory of the replay, or of one repeat that rebuilds its own. */
class Scope {
  readonly storages = new StorageRegistry();
  readonly byKey = new Map<string, LiveObject>();
  readonly names = new WeakMap<object, NamedObject>();
}

/** The live objects that planned calls still need. */
export class ObjectTable {
  readonly #scopes = new Map<number, Scope>();

  storagesOf(scope: number): StorageRegistry {
    return this.#scope(scope).storages;
  }

  bind(scope: number, name: NamedObject, object: object, dispose: LiveObject['dispose']): void {
    const { byKey, names } = this.#scope(scope);
    byKey.set(name.key, { object, name, dispose });
    names.set(object, name);
  }

  /** A repeat finds what it did not rebuild, objects without state, among those of the replay. */
  find(scope: number, key: string): object | undefined {
    return (this.#scope(scope).byKey.get(key) ?? this.#scope(0).byKey.get(key))?.object;
  }

  nameOf(scope: number, object: object): NamedObject | undefined {
    return this.#scope(scope).names.get(object) ?? this.#scope(0).names.get(object);
  }

  /** Lets go of objects, of all of a scope where no keys are given. What their disposal throws is not the replay's. */
  async drop(scope: number, keys?: readonly string[]): Promise<void> {
    const { byKey } = this.#scope(scope);
    for (const key of keys ?? [...byKey.keys()]) {
      const live = byKey.get(key);
      byKey.delete(key);
      try {
        await live?.dispose?.(live.object);
      } catch {
        // The object is gone either way.
      }
    }
    if (keys === undefined) this.#scopes.delete(scope);
  }

  #scope(scope: number): Scope {
    const known = this.#scopes.get(scope);
    if (known !== undefined) return known;
    const made = new Scope();
    this.#scopes.set(scope, made);
    return made;
  }
}
