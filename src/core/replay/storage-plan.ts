import { FirError } from '../errors.js';
import { ALIGNMENT } from './storage-registry.js';

/** Which bytes of a recorded storage one tensor touches, and how many bytes of values it really has. */
export interface TensorExtent {
  key: string;
  storage: number | string | undefined;
  low: number;
  high: number;
  /** 0 where the contents were not saved. */
  realBytes: number;
}

/** One buffer to be made: `[base, high)` of a recorded storage. */
export interface PlannedBuffer {
  storage: number | string | undefined;
  base: number;
  high: number;
  keys: string[];
}

const SMALL_GAP_BYTES = 64 * 1024;
/** A buffer may be this much, or this many times its values, before the claim is not believed. */
const PLAIN_BYTES = 256 * 1024 * 1024;
const SPARSE_FACTOR = 64;
/** What is poisoned has no values to believe. */
const MAX_POISONED_BYTES = 1024 * 1024 * 1024;

export interface StoragePlan {
  buffers: PlannedBuffer[];
  /** Tensors whose elements lie so far apart that only their values are rebuilt, contiguous. */
  sparse: string[];
}

/**
 * Plans the memory for one call's tensors. Tensors of one storage share a buffer, at their distances from one another,
 * unless they lie so far apart that the room between would be mostly a claim. Nothing is sized by `storageBytes`.
 *
 * @throws FirError TOO_LARGE for contents that were not saved and have no believable size.
 */
export function planStorages(extents: readonly TensorExtent[]): StoragePlan {
  const plan: StoragePlan = { buffers: [], sparse: [] };
  const groups = new Map<number | string | symbol, TensorExtent[]>();
  for (const extent of extents) {
    const size = extent.high - extent.low;
    if (extent.realBytes === 0 && size > MAX_POISONED_BYTES) {
      throw new FirError(
        'TOO_LARGE',
        `${extent.key} claims ${size} bytes, and none of its contents were saved`,
      );
    }
    if (extent.realBytes > 0 && size > Math.max(PLAIN_BYTES, SPARSE_FACTOR * extent.realBytes)) {
      plan.sparse.push(extent.key);
      continue;
    }
    const id = extent.storage ?? Symbol(extent.key);
    const group = groups.get(id);
    if (group === undefined) groups.set(id, [extent]);
    else group.push(extent);
  }
  for (const group of groups.values()) plan.buffers.push(...clusters(group));
  return plan;
}

function clusters(group: TensorExtent[]): PlannedBuffer[] {
  group.sort((a, b) => a.low - b.low || a.high - b.high);
  const found: PlannedBuffer[] = [];
  let current: PlannedBuffer | undefined;
  let realBytes = 0;
  for (const { key, storage, low, high, realBytes: real } of group) {
    const room = Math.max(SMALL_GAP_BYTES, realBytes + real);
    if (current !== undefined && low - current.high <= room) {
      current.high = Math.max(current.high, high);
      current.keys.push(key);
      realBytes += real;
    } else {
      current = { storage, base: low - (low % ALIGNMENT), high, keys: [key] };
      realBytes = real;
      found.push(current);
    }
  }
  return found;
}
