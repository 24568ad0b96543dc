import type { CallRecord } from '../model/call.js';
import type { TensorSource } from '../model/tensor.js';
import type { StoredTensor } from '../session/index.js';
import { contiguousStride } from '../tensor/index.js';
import type { SavedTensor } from '../tensor-files/tensor-data.js';
import {
  isBelievable,
  isContiguous,
  type PlacedTensor,
  placeTensor,
  rebuildMemory,
  valueBytes,
} from './memory-clusters.js';

/** A tensor of a call's group as its dump has it. */
export interface GroupTensor {
  key: string;
  stored: StoredTensor;
  /** As the new record names its memory. */
  storage: number | string;
  /** Its contents go into the group's file. */
  isSaved: boolean;
}

/** What the writers of tensor files take: what is saved, and all tensors of the group. */
export interface GroupSources {
  saved: SavedTensor[];
  all: Map<string, TensorSource>;
}

/** An expanded storage is kept as it is when its views would take more than this many times as much. */
const EXPANSION_FACTOR = 2;

/**
 * The tensors of a group, as views of the memory that they share where the format can hold it: all in a .pt file,
 * expanded ones in a safetensors file. The others stand as their values alone. FirError TENSOR_*, TOO_LARGE.
 */
export function sourcesOf(
  tensors: readonly GroupTensor[],
  format: CallRecord['tensor_format'],
): GroupSources {
  const sources: GroupSources = { saved: [], all: new Map() };
  const byStorage = new Map<number | string, GroupTensor[]>();
  for (const tensor of tensors) {
    if (isPlain(tensor.stored)) {
      if (tensor.isSaved) add(sources, tensor, valuesOf(tensor.stored));
      continue;
    }
    const others = byStorage.get(tensor.storage);
    if (others === undefined) byStorage.set(tensor.storage, [tensor]);
    else others.push(tensor);
  }
  for (const group of byStorage.values()) addStorage(sources, group, format);
  return sources;
}

/** Strings have no memory, and elements of half a byte no place in it. */
function isPlain({ dtype }: StoredTensor): boolean {
  return dtype === 'string' || dtype === 'int4' || dtype === 'uint4';
}

function addStorage(
  sources: GroupSources,
  group: readonly GroupTensor[],
  format: CallRecord['tensor_format'],
): void {
  const placed = new Map(group.map((tensor) => [tensor, placeTensor(tensor.stored, tensor.isSaved)]));
  const tensors = [...placed.values()];
  const wantsMemory = format === 'torch' || isExpanded(tensors);
  const partOf = wantsMemory ? rebuildMemory(tensors) : undefined;
  const storage = {};
  for (const [tensor, place] of placed) {
    const { stored } = tensor;
    if (partOf !== undefined) add(sources, tensor, viewOf(stored, place, storage, partOf(place)));
    else if (tensor.isSaved) add(sources, tensor, valuesOf(stored));
  }
}

function isExpanded(tensors: readonly PlacedTensor[]): boolean {
  const filled = tensors.filter(({ low, high }) => high > low);
  if (filled.every(({ stored }) => isContiguous(stored))) return false;
  const low = Math.min(...filled.map((tensor) => tensor.low));
  const high = Math.max(...filled.map((tensor) => tensor.high));
  const values = filled.reduce((sum, { stored }) => sum + valueBytes(stored), 0);
  return values > EXPANSION_FACTOR * (high - low) && isBelievable(low, high, filled);
}

function add(sources: GroupSources, { key, storage, isSaved }: GroupTensor, source: TensorSource): void {
  sources.all.set(key, source);
  if (isSaved) sources.saved.push({ key, source, storage });
}

function viewOf(
  stored: StoredTensor,
  { low }: PlacedTensor,
  storage: object,
  bytes: Uint8Array,
): TensorSource {
  const { stride } = stored;
  return { ...factsOf(stored), stride, storage, byteOffset: low, bytes, contiguous: isContiguous(stored) };
}

/** As if the tensor were a memory of its own. */
function valuesOf(stored: StoredTensor): TensorSource {
  const strings = stored.strings?.();
  const bytes = strings === undefined ? stored.logicalBytes() : new Uint8Array(0);
  return {
    ...factsOf(stored),
    stride: contiguousStride(stored.shape),
    storage: {},
    byteOffset: 0,
    bytes,
    contiguous: true,
    ...(strings === undefined ? {} : { strings }),
  };
}

function factsOf({ dtype, shape, storageBytes, device, host = '' }: StoredTensor) {
  return { dtype, shape, storageBytes, device, host };
}
