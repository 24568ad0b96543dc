import { byteLengthOf, dtypeOf } from '../dtype/index.js';
import { FirError } from '../errors.js';
import type { DtypeName } from '../model/dtype.js';
import type { Dump, StoredTensor } from '../session/index.js';
import { ownField } from '../session/json-fields.js';
import { extentOf } from '../tensor/index.js';
import { DrawnTensor, MAX_DRAWN_BYTES } from './drawn/drawn-tensor.js';
import type { TensorExtent } from './storage-plan.js';

/** A recorded input whose values were checked to be there, without reading them. */
export interface InputTensor {
  stored: StoredTensor;
  /** Why there are no contents: an `out` argument, or one that the call only works in. */
  poisoned: 'out' | 'scratch' | undefined;
  /** The saved part of the storage that an expanded tensor is taken out of. */
  range: { byteOffset: number; bytes: Uint8Array } | undefined;
  extent: TensorExtent;
}

/** FirError TENSOR_* where the values can't be had. */
export function inputTensor(dump: Dump, stored: StoredTensor): InputTensor {
  const { key, dtype, shape, stride, offset, storage } = stored;
  const poisoned = poisonedRole(dump, key);
  if (poisoned === undefined) stored.verify();
  const range = poisoned === undefined ? stored.savedRange?.() : undefined;
  const elements = extentOf(shape, stride, offset);
  const low = elements === undefined ? 0 : byteOffsetOf(dtype, elements.low);
  const high = elements === undefined ? 0 : byteLengthOf(dtype, elements.high + 1);
  const savedBytes = range?.bytes.length ?? stored.byteLength;
  const isDrawn = poisoned === undefined && stored instanceof DrawnTensor;
  if (isDrawn && high - low > MAX_DRAWN_BYTES) {
    throw new FirError('TOO_LARGE', `${key} claims ${high - low} bytes, and its values were redacted`);
  }
  const drawnBytes = isDrawn ? high - low : savedBytes;
  const realBytes = poisoned === undefined ? drawnBytes : endBytes(dump, key);
  return { stored, poisoned, range, extent: { key, storage, low, high, realBytes } };
}

/** Of an element, from the start of the storage. */
export function byteOffsetOf(dtype: DtypeName, element: number): number {
  return Math.floor((element * dtypeOf(dtype).bitsPerElement) / 8);
}

function poisonedRole(dump: Dump, key: string): 'out' | 'scratch' | undefined {
  const { fir } = dump.record;
  const role = ownField(fir?.roles ?? {}, key);
  const hasData = ownField(fir?.tensors ?? {}, key)?.data !== undefined;
  return !hasData && (role === 'out' || role === 'scratch') ? role : undefined;
}

/** Bytes that the call left in an argument whose contents were not saved; 0 where that is not known either. */
function endBytes(dump: Dump, key: string): number {
  if (!dump.keys('mutated').includes(key)) return 0;
  try {
    const stored = dump.tensor('mutated', key);
    stored.verify();
    return stored.byteLength;
  } catch {
    return 0;
  }
}
