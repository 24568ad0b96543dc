import { gatherContiguous } from '../../../src/core/tensor/index.js';
import type { TorchFile, TorchTensor } from '../../../src/core/torch/index.js';

/** The entry `key`, which is a tensor. */
export function tensorOf(file: TorchFile, key: string): TorchTensor {
  const entry = file.entries.get(key);
  if (entry?.kind !== 'tensor') throw new Error(`no tensor ${key}: ${entry?.reason ?? 'no entry'}`);
  return entry;
}

/** Why the entry `key` is no tensor. */
export function reasonOf(file: TorchFile, key: string): string {
  const entry = file.entries.get(key);
  if (entry?.kind !== 'opaque') throw new Error(`${key} is no opaque value`);
  return entry.reason;
}

/** The logical values of the tensor `key`, row-major. */
export function valuesOf(file: TorchFile, key: string): Uint8Array {
  const tensor = tensorOf(file, key);
  return gatherContiguous(file.readRange(tensor.storage, 0, tensor.storage.byteLength), tensor);
}
