/** A recorded object: its number is never used twice in a process. */
export interface RecordedObject {
  self_id: number;
  class: string;
}

/** Numbers the objects that constructors and factories made, and the memory that tensors live in. */
export class ObjectTable {
  readonly #objects = new WeakMap<object, RecordedObject>();
  readonly #storages = new WeakMap<object, number>();
  #lastObject = 0;
  #lastStorage = 0;

  reserve(): number {
    this.#lastObject += 1;
    return this.#lastObject;
  }

  bind(object: object, selfId: number, className: string): void {
    this.#objects.set(object, { self_id: selfId, class: className });
  }

  find(object: object): RecordedObject | undefined {
    return this.#objects.get(object);
  }

  storageId(storage: object): number {
    const known = this.#storages.get(storage);
    if (known !== undefined) return known;
    this.#lastStorage += 1;
    this.#storages.set(storage, this.#lastStorage);
    return this.#lastStorage;
  }
}
