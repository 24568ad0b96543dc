import { dtypeOf } from '../dtype/index.js';
import type { TensorSource } from '../model/tensor.js';
import { encodeSafetensorsHeader, type SafetensorsWrite } from '../safetensors/index.js';
import { crowdedStorages } from './crowded-storages.js';
import {
  type EncodedFile,
  logicalData,
  packStrings,
  type SavedRange,
  type SavedTensor,
} from './tensor-data.js';

interface StoredRange {
  low: number;
  bytes: Uint8Array;
}

/**
 * Tensors as a safetensors file: the logical values of each under its key, but the range of a storage once where views
 * of it are expanded. `tensors` are all of the group, saved or not. Nothing is copied but strided tensors.
 */
export function encodeSafetensorsGroup(
  saved: readonly SavedTensor[],
  tensors: ReadonlyMap<string, TensorSource>,
  isPlain: boolean,
): EncodedFile {
  const writes: SafetensorsWrite[] = [];
  const expanded = isPlain ? new Map<object, StoredRange>() : expandedStorages(tensors);
  const views: { key: string; storageKey: string; begin: number; length: number }[] = [];
  const storedKeys = new Map<string, string>();
  const storedRanges = new Set<string>();
  for (const { key, source, storage } of saved) {
    const range = expanded.get(source.storage);
    if (range === undefined) {
      addWrites(writes, key, source);
      continue;
    }
    const storageKey = `storage_${storage}`;
    storedKeys.set(key, storageKey);
    views.push({ key, storageKey, begin: source.byteOffset - range.low, length: source.bytes.length });
    if (storedRanges.has(storageKey)) continue;
    storedRanges.add(storageKey);
    writes.push({ key: storageKey, dtype: 'U8', shape: [range.bytes.length], data: range.bytes });
  }
  const file = placeWrites(writes);
  for (const { key, storageKey, begin, length } of views) {
    const stored = file.positions.get(storageKey);
    if (stored !== undefined) file.positions.set(key, { begin: stored.begin + begin, length, isRaw: true });
  }
  return { ...file, storedKeys };
}

function placeWrites(writes: readonly SafetensorsWrite[]): Omit<EncodedFile, 'storedKeys'> {
  const { header, ordered } = encodeSafetensorsHeader(writes);
  const pieces: Uint8Array[] = [header];
  const positions = new Map<string, SavedRange>();
  let byteLength = header.length;
  for (const write of ordered) {
    const data = write.data as Uint8Array;
    positions.set(write.key, { begin: byteLength, length: data.length });
    if (data.length > 0) pieces.push(data);
    byteLength += data.length;
  }
  return { pieces, byteLength, positions };
}

/** Lowest byte to highest of the expanded views of each storage, where storing the views would cost more than twice that. */
function expandedStorages(tensors: ReadonlyMap<string, TensorSource>): Map<object, StoredRange> {
  const expanded = new Map<object, StoredRange>();
  if (!anyStrided(tensors)) return expanded;
  for (const [storage, { low, high, sources }] of crowdedStorages(tensors)) {
    if (sources.every((source) => source.contiguous)) continue;
    const bytes = new Uint8Array(high - low);
    for (const source of sources) bytes.set(source.bytes, source.byteOffset - low);
    expanded.set(storage, { low, bytes });
  }
  return expanded;
}

function anyStrided(tensors: ReadonlyMap<string, TensorSource>): boolean {
  for (const { contiguous, strings, bytes } of tensors.values()) {
    if (!contiguous && strings === undefined && bytes.length > 0) return true;
  }
  return false;
}

function addWrites(writes: SafetensorsWrite[], key: string, source: TensorSource): void {
  if (source.strings !== undefined) {
    const { bytes, offsets } = packStrings(source.strings);
    writes.push({ key: `${key}#bytes`, dtype: 'U8', shape: [bytes.length], data: bytes });
    writes.push({ key: `${key}#offsets`, dtype: 'I64', shape: [offsets.length / 8], data: offsets });
    return;
  }
  const data = logicalData(source);
  if (source.dtype === 'complex128') {
    writes.push({ key, dtype: 'F64', shape: [...source.shape, 2], data });
  } else if (source.dtype === 'int4' || source.dtype === 'uint4') {
    writes.push({ key, dtype: 'U8', shape: [data.length], data });
  } else {
    const dtype = dtypeOf(source.dtype);
    if (source.dtype === 'float4_e2m1fn_x2') {
      // The header counts single values where torch counts bytes of two.
      const last = source.shape.length - 1;
      const shape = source.shape.map((size, dim) => (dim === last ? size * 2 : size));
      writes.push({ key, dtype: 'F4', shape: last < 0 ? [2] : shape, data });
    } else {
      writes.push({ key, dtype: dtype.safetensors ?? 'U8', shape: source.shape, data });
    }
  }
}
