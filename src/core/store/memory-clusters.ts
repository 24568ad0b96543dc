import { dtypeOf } from '../dtype/index.js';
import { FirError } from '../errors.js';
import type { StoredTensor } from '../session/index.js';
import {
  elementCount,
  extentOf,
  gatherContiguous,
  isContiguousLayout,
  scatterContiguous,
} from '../tensor/index.js';

/** A tensor of a group, with the bytes of its storage from its first to its last element. */
export interface PlacedTensor {
  stored: StoredTensor;
  /** Its contents are saved in the group's file. */
  isSaved: boolean;
  low: number;
  high: number;
}

/** Bytes of a storage from `base` on, filled with what was saved of it. */
interface Cluster {
  base: number;
  bytes: Uint8Array;
}

/** Memory may be this large, or this many times what was saved of it, before the layouts are not believed. */
const PLAIN_BYTES = 1024 * 1024;
const SPARSE_FACTOR = 64;

/** FirError TENSOR_INVALID for a layout that makes no sense. */
export function placeTensor(stored: StoredTensor, isSaved: boolean): PlacedTensor {
  const { dtype, shape, stride, offset } = stored;
  const extent = extentOf(shape, stride, offset);
  const elementBytes = dtypeOf(dtype).bitsPerElement / 8;
  if (extent === undefined)
    return { stored, isSaved, low: offset * elementBytes, high: offset * elementBytes };
  return { stored, isSaved, low: extent.low * elementBytes, high: (extent.high + 1) * elementBytes };
}

/** Bytes of a tensor's values, however they lie. */
export function valueBytes({ dtype, shape }: StoredTensor): number {
  return Math.ceil((elementCount(shape) * dtypeOf(dtype).bitsPerElement) / 8);
}

export function isContiguous({ shape, stride }: StoredTensor): boolean {
  return isContiguousLayout(shape, stride);
}

/** Whether so much memory can be meant by tensors of which so much was saved. */
export function isBelievable(low: number, high: number, tensors: readonly PlacedTensor[]): boolean {
  const saved = tensors.reduce((sum, tensor) => sum + (tensor.isSaved ? savedBytes(tensor) : 0), 0);
  return high - low <= Math.max(PLAIN_BYTES, SPARSE_FACTOR * saved);
}

function savedBytes({ stored, low, high }: PlacedTensor): number {
  return Math.min(high - low, valueBytes(stored));
}

/**
 * The memory of tensors of one storage as they lie in it, in pieces that don't touch one another: a function that gives
 * the part of a tensor. Undefined where it would be far more than what was saved.
 * FirError TENSOR_CONFLICT where tensors that overlap were saved with different values, and what reading them throws.
 */
export function rebuildMemory(
  tensors: readonly PlacedTensor[],
): ((tensor: PlacedTensor) => Uint8Array) | undefined {
  const clusters = new Map<PlacedTensor, Cluster>();
  for (const group of touchingGroups(tensors)) {
    const low = Math.min(...group.map((tensor) => tensor.low));
    const high = Math.max(...group.map((tensor) => tensor.high));
    if (!isBelievable(low, high, group)) return undefined;
    const cluster: Cluster = { base: low, bytes: new Uint8Array(high - low) };
    const saved = group.filter((tensor) => tensor.isSaved && tensor.high > tensor.low);
    for (const tensor of saved) fill(cluster, tensor);
    const [first, ...others] = saved;
    const isSingle = first === undefined || (others.length === 0 && isContiguous(first.stored));
    for (const tensor of isSingle ? [] : saved) assertHolds(cluster, tensor);
    for (const tensor of group) clusters.set(tensor, cluster);
  }
  return (tensor) => {
    const { base, bytes } = clusters.get(tensor) ?? { base: 0, bytes: new Uint8Array(0) };
    return bytes.subarray(tensor.low - base, tensor.high - base);
  };
}

function touchingGroups(tensors: readonly PlacedTensor[]): PlacedTensor[][] {
  const groups: PlacedTensor[][] = [];
  let end = -1;
  for (const tensor of [...tensors].sort((a, b) => a.low - b.low || a.high - b.high)) {
    const last = groups.at(-1);
    if (last === undefined || tensor.low >= end) groups.push([tensor]);
    else last.push(tensor);
    end = Math.max(end, tensor.high);
  }
  return groups;
}

function fill({ base, bytes }: Cluster, { stored, low, high }: PlacedTensor): void {
  const range = stored.savedRange();
  if (range !== undefined) {
    const begin = Math.max(low, range.byteOffset);
    const end = Math.min(high, range.byteOffset + range.bytes.length);
    if (end > begin)
      bytes.set(range.bytes.subarray(begin - range.byteOffset, end - range.byteOffset), begin - base);
    return;
  }
  scatterContiguous(bytes.subarray(low - base), layoutIn(stored), stored.logicalBytes());
}

function assertHolds({ base, bytes }: Cluster, { stored, low }: PlacedTensor): void {
  // Out of a range of the storage there is one value for each byte.
  if (stored.savedRange() !== undefined) return;
  const found = gatherContiguous(bytes.subarray(low - base), layoutIn(stored));
  if (Buffer.compare(found, stored.logicalBytes()) === 0) return;
  throw new FirError(
    'TENSOR_CONFLICT',
    `${JSON.stringify(stored.key)} overlaps another tensor in memory, but was saved with different values there`,
  );
}

function layoutIn({ dtype, shape, stride }: StoredTensor) {
  return { dtype, shape, stride, offset: 0 };
}
