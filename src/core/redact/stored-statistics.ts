import { dtypeOf } from '../dtype/index.js';
import { FirError } from '../errors.js';
import type { LayoutStatistics } from '../model/tensor.js';
import type { StoredTensor } from '../session/index.js';
import { elementCount, gatherContiguous } from '../tensor/index.js';
import { layoutStatistics, stringStatistics } from './layout-statistics.js';

/** Elements beyond any tensor's whose values are all there: to count them would take for ever. */
const MAX_COUNTED = 2 ** 36;

/** Statistics of a recorded tensor; undefined where its values can't be had: a damaged file is no reason to keep what is whole. */
export function storedStatistics(stored: StoredTensor): LayoutStatistics | undefined {
  if (stored.redacted === true) return stored.stats;
  try {
    if (stored.strings !== undefined) return stringStatistics(stored.strings());
    return expandedStatistics(stored) ?? plainStatistics(stored);
  } catch (error) {
    if (error instanceof FirError) return undefined;
    throw error;
  }
}

function plainStatistics(stored: StoredTensor): LayoutStatistics | undefined {
  const elements = elementCount(stored.shape);
  return elements > MAX_COUNTED ? undefined : layoutStatistics(stored.dtype, elements, () => stored.chunks());
}

/** Of a tensor that repeats its elements each of them is looked at once: they may be far more than what was saved. */
function expandedStatistics(stored: StoredTensor): LayoutStatistics | undefined {
  const { dtype, shape, stride, offset } = stored;
  const saved = stride.includes(0) && !shape.includes(0) ? savedMemory(stored) : undefined;
  if (saved === undefined) return undefined;
  const once = shape.map((size, dim) => (stride[dim] === 0 ? 1 : size));
  const begin = offset - (saved.storageBegin * 8) / dtypeOf(dtype).bitsPerElement;
  const bytes = gatherContiguous(saved.bytes, { dtype, shape: once, stride, offset: begin });
  const elements = elementCount(once);
  return layoutStatistics(dtype, elements, () => [bytes], elementCount(shape) / elements);
}

/** The part of a tensor's storage that was saved, and where in the storage it begins. */
function savedMemory(stored: StoredTensor): { bytes: Uint8Array; storageBegin: number } | undefined {
  const range = stored.savedRange();
  if (range !== undefined) return { bytes: range.bytes, storageBegin: range.byteOffset };
  const place = stored.fileRange();
  const bytes = place === undefined ? undefined : stored.fileBytes();
  return place === undefined || bytes === undefined ? undefined : { bytes, storageBegin: place.storageBegin };
}
