import { ADAPTERS } from '../adapters/index.js';
import { FirError } from '../errors.js';
import type { PreparedCall } from '../executors/index.js';
import type { TensorSource } from '../model/tensor.js';
import type { StoredTensor } from '../session/index.js';
import { Storage, Tensor } from '../tensor/index.js';
import { describeHostTensor, hostFromTensor } from '../values/index.js';

/**
 * Gives a rebuilt tensor back as the class that held it: a library's where one of `makers` knows it, else JavaScript's
 * own or a `fir` Tensor. `notes` collects what that class can't keep.
 */
export function makeHost(
  makers: readonly Pick<PreparedCall, 'tensorFromHost'>[],
  stored: StoredTensor,
  tensor: Tensor | undefined,
  strings: readonly string[] | undefined,
  notes: string[],
): unknown {
  const { host, key, device } = stored;
  if (/^(cuda|gpu)/.test(device)) notes.push(`${key} was on ${device}, and is on the cpu here`);
  for (const maker of host === undefined ? [] : makers) {
    const made = maker.tensorFromHost?.(host ?? '', tensor ?? shapeOnly(stored.shape), strings);
    if (made !== undefined) return made;
  }
  if (tensor === undefined) {
    throw new FirError('NOT_REPLAYABLE', `${key} is a tensor of strings, which nothing here holds`);
  }
  const made = hostFromTensor(host, tensor);
  if (made !== tensor && !tensor.isContiguous()) {
    notes.push(
      `layout not restored: ${key} is contiguous, as ${host} has no strides (recorded [${tensor.stride}])`,
    );
  }
  return made;
}

/** Stands for a tensor of strings, whose values are given apart. */
function shapeOnly(shape: readonly number[]): Tensor {
  return new Tensor({
    dtype: 'uint8',
    shape,
    stride: shape.map(() => 0),
    storage: new Storage(new Uint8Array(1)),
  });
}

/** A tensor of a library that an adapter knows, or of JavaScript's own kinds; undefined for anything else. */
export function describeTensor(value: object): TensorSource | undefined {
  for (const adapter of ADAPTERS) {
    const source = adapter.describeTensor(value);
    if (source !== undefined) return source;
  }
  return describeHostTensor(value);
}
