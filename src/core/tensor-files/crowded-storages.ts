import type { TensorSource } from '../model/tensor.js';
import { logicalBytes } from './tensor-data.js';

/** A storage is crowded when the values of its views would take more than this many times its covered range. */
export const EXPANSION_FACTOR = 2;

/** Lowest byte to highest of the views of a storage. */
export interface CrowdedStorage {
  low: number;
  high: number;
  sources: TensorSource[];
}

/** The storages of which each byte belongs to more than two views, or to a view more than twice: to be kept as they lie. */
export function crowdedStorages(tensors: ReadonlyMap<string, TensorSource>): Map<object, CrowdedStorage> {
  const found = new Map<object, CrowdedStorage & { logical: number }>();
  for (const source of tensors.values()) {
    if (source.strings !== undefined || source.bytes.length === 0) continue;
    const low = source.byteOffset;
    const high = low + source.bytes.length;
    const entry = found.get(source.storage);
    if (entry === undefined) {
      found.set(source.storage, { low, high, logical: logicalBytes(source), sources: [source] });
    } else {
      entry.low = Math.min(entry.low, low);
      entry.high = Math.max(entry.high, high);
      entry.logical += logicalBytes(source);
      entry.sources.push(source);
    }
  }
  for (const [storage, { low, high, logical }] of found) {
    if (logical <= EXPANSION_FACTOR * (high - low)) found.delete(storage);
  }
  return found;
}
