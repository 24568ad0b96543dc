/** A recorded object: its number is never used twice in a process. */
export interface RecordedObject {
  self_id: number;
  class: string;
}

/** A call in progress that makes an object, whose methods may be called before the call has ended. */
export interface Maker {
  /** The class of an object that the call may be making; undefined for any other object. */
  makes(object: object): string | undefined;
  /** The number of the one object that a constructor makes; a factory may make several. */
  selfId: number | undefined;
  hasClaimed: boolean;
}

/** Numbers the objects that constructors and factories made, and the memory that tensors live in. */
export class ObjectTable {
  readonly #objects = new WeakMap<object, RecordedObject>();
  readonly #storages = new WeakMap<object, number>();
  /** The innermost last. */
  readonly #makers: Maker[] = [];
  /** Objects that were met before their maker had ended. */
  readonly #claimed = new WeakSet<object>();
  #lastObject = 0;
  #lastStorage = 0;

  reserve(): number {
    this.#lastObject += 1;
    return this.#lastObject;
  }

  bind(object: object, selfId: number, className: string): void {
    const known = this.#objects.get(object);
    // What is kept by the entry stays with it where the object was met before its maker had ended.
    if (known?.self_id === selfId) known.class = className;
    else this.#objects.set(object, { self_id: selfId, class: className });
  }

  find(object: object): RecordedObject | undefined {
    return this.#objects.get(object);
  }

  beginMaking(maker: Maker): void {
    this.#makers.push(maker);
  }

  endMaking(maker: Maker): void {
    this.#makers.splice(this.#makers.lastIndexOf(maker), 1);
  }

  /** Numbers an object whose method is called, if a call in progress may be making it. */
  claim(object: object): void {
    if (this.#makers.length === 0 || this.#objects.has(object)) return;
    for (const maker of this.#makers.toReversed()) {
      const className = maker.makes(object);
      if (className === undefined || (maker.hasClaimed && maker.selfId !== undefined)) continue;
      maker.hasClaimed = true;
      this.bind(object, maker.selfId ?? this.reserve(), className);
      this.#claimed.add(object);
      return;
    }
  }

  /** Whether the object was numbered before its maker had ended; true once. */
  takeClaim(object: object): boolean {
    return this.#claimed.delete(object);
  }

  storageId(storage: object): number {
    const known = this.#storages.get(storage);
    if (known !== undefined) return known;
    this.#lastStorage += 1;
    this.#storages.set(storage, this.#lastStorage);
    return this.#lastStorage;
  }
}
