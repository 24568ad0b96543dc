import type { TorchOpaque, TorchTensor } from './types.js';

/** A list, a type of its own since tuples are arrays here. */
export class PickleList {
  readonly items: PickleValue[] = [];
}

/** A class or function that a pickle names. It is a name only: nothing is looked up or called. */
export class PickleGlobal {
  /** Module and name: `torch._utils._rebuild_tensor_v2`. */
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/** What stands for something outside of the pickle: for torch a storage. */
export class PickleReference<Target> {
  readonly target: Target;

  constructor(target: Target) {
    this.target = target;
  }
}

/** What a pickle can make here. Tuples are arrays, dicts are maps; objects of other classes are opaque. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleList
  | readonly PickleValue[]
  | Map<PickleValue, PickleValue>
  | Set<PickleValue>
  | PickleGlobal
  | PickleReference<unknown>
  | TorchTensor
  | TorchOpaque;

/** Gives meaning to what a pickle leaves to its surroundings. */
export interface PickleHost {
  /** A class or function by its name. */
  findGlobal(module: string, name: string): PickleValue;
  /** What calling `callee` stands for. */
  call(callee: PickleValue, args: PickleValue): PickleValue;
  /** What a persistent id stands for. */
  findReference(id: PickleValue): PickleValue;
}
