import type { TensorSource } from '../core/model/tensor.js';

/** Finds tensors of a call that are the very same: same memory, same place, same layout. */
export class SameTensors {
  readonly #seen: [TensorSource, string][];

  constructor(seen: Iterable<readonly [string, TensorSource]> = []) {
    this.#seen = [...seen].map(([key, source]) => [source, key]);
  }

  /** The key under which the same tensor was met before; remembers this one where there is none. */
  find(key: string, source: TensorSource): string | undefined {
    for (const [other, otherKey] of this.#seen) {
      if (isSameTensor(other, source)) return otherKey;
    }
    this.#seen.push([source, key]);
    return undefined;
  }
}

/** Same memory, same place, same layout. */
export function isSameTensor(a: TensorSource, b: TensorSource): boolean {
  return (
    a.storage === b.storage &&
    a.byteOffset === b.byteOffset &&
    a.dtype === b.dtype &&
    a.host === b.host &&
    a.shape.length === b.shape.length &&
    a.shape.every((size, dim) => size === b.shape[dim]) &&
    a.stride.every((step, dim) => step === b.stride[dim])
  );
}
