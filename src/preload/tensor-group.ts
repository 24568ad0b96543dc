import { dtypeOf } from '../core/dtype/index.js';
import type { TensorLayout, TensorSource } from '../core/model/tensor.js';
import { encodeSafetensorsHeader, type SafetensorsWrite } from '../core/safetensors/index.js';
import { gatherContiguous } from '../core/tensor/index.js';
import { allocateFromSlab } from './slab.js';

/** Below this many bytes a group is copied into one buffer: one write, and the snapshot that changes are seen against. */
const SMALL_GROUP_BYTES = 1 << 20;

/** An expanded storage is stored once when its views would take more than this many times its covered range. */
const EXPANSION_FACTOR = 2;

/** The tensors of one file (`inputs`, `outputs`, `mutated`) with their layouts, ready to be written. */
export interface TensorGroup {
  file: string;
  layouts: Record<string, TensorLayout>;
  keys: string[];
  /** Logical bytes of all tensors, as the record reports them. */
  sizeBytes: number;
  /** The whole file in pieces, in order; empty when there is nothing to write. */
  pieces: Uint8Array[];
  fileBytes: number;
  /** Where the saved bytes of a key stand in the file. */
  positions: Map<string, SavedRange>;
  /** The file's bytes, for small groups. */
  copy: Buffer | undefined;
}

export interface SavedRange {
  begin: number;
  length: number;
  /** The view's memory as it lies, not its logical values. */
  isRaw?: boolean;
}

interface StoredRange {
  low: number;
  bytes: Uint8Array;
}

export interface LayoutContext {
  storageId(storage: object): number;
  /** Another key of the call that is the very same tensor. */
  sameAs?(key: string, source: TensorSource): string | undefined;
  /** Stores content under `blobs/` and gives its sha256; undefined keeps it in the dump. */
  blob?(key: string, source: TensorSource): string | undefined;
  /** Contents are not saved. */
  isContentless?(key: string): boolean;
  /** Every tensor by itself, an expanded one as its logical values. */
  isPlain?: boolean;
}

/** Lays the tensors of one group out for a safetensors file. Nothing is copied but strided tensors. */
export function layOutGroup(
  file: string,
  tensors: ReadonlyMap<string, TensorSource>,
  context: LayoutContext,
): TensorGroup {
  const layouts: Record<string, TensorLayout> = {};
  const keys: string[] = [];
  const writes: SafetensorsWrite[] = [];
  const expanded = context.isPlain ? new Map<object, StoredRange>() : expandedStorages(tensors);
  const rawKeys: { key: string; storageKey: string; begin: number; length: number }[] = [];
  const storedRanges = new Set<string>();
  let sizeBytes = 0;
  for (const [key, source] of tensors) {
    const layout = layoutOf(source, context.storageId(source.storage));
    layouts[key] = layout;
    keys.push(key);
    sizeBytes += logicalBytes(source);
    const same = context.sameAs?.(key, source);
    if (same !== undefined) {
      layout.data = { sameAs: same };
      continue;
    }
    // Strings are values of the program's own, which a library may not write to.
    if (source.strings === undefined && context.isContentless?.(key)) continue;
    const sha256 = context.blob?.(key, source);
    if (sha256 !== undefined) {
      layout.data = { sha256 };
      continue;
    }
    const range = expanded.get(source.storage);
    if (range !== undefined) {
      const storageKey = `storage_${layout.storage}`;
      layout.data = { file, key: storageKey };
      rawKeys.push({ key, storageKey, begin: source.byteOffset - range.low, length: source.bytes.length });
      if (!storedRanges.has(storageKey)) {
        storedRanges.add(storageKey);
        writes.push({ key: storageKey, dtype: 'U8', shape: [range.bytes.length], data: range.bytes });
      }
      continue;
    }
    layout.data = { file, key };
    addWrites(writes, key, source);
  }
  const group: TensorGroup = {
    file,
    layouts,
    keys,
    sizeBytes,
    pieces: [],
    fileBytes: 0,
    positions: new Map(),
    copy: undefined,
  };
  if (writes.length > 0) assemble(group, writes);
  for (const { key, storageKey, begin, length } of rawKeys) {
    const stored = group.positions.get(storageKey);
    if (stored !== undefined) group.positions.set(key, { begin: stored.begin + begin, length, isRaw: true });
  }
  return group;
}

function assemble(group: TensorGroup, writes: readonly SafetensorsWrite[]): void {
  const { header, ordered } = encodeSafetensorsHeader(writes);
  const pieces: Uint8Array[] = [header];
  let position = header.length;
  for (const write of ordered) {
    const data = write.data as Uint8Array;
    group.positions.set(write.key, { begin: position, length: data.length });
    if (data.length > 0) pieces.push(data);
    position += data.length;
  }
  group.fileBytes = position;
  if (position > SMALL_GROUP_BYTES) {
    group.pieces = pieces;
    return;
  }
  const copy = allocateFromSlab(position);
  let at = 0;
  for (const piece of pieces) {
    copy.set(piece, at);
    at += piece.length;
  }
  group.copy = copy;
  group.pieces = [copy];
}

/** Lowest byte to highest of the expanded views of each storage, where storing the views would cost more than twice that. */
function expandedStorages(tensors: ReadonlyMap<string, TensorSource>): Map<object, StoredRange> {
  const found = new Map<object, { low: number; high: number; logical: number; sources: TensorSource[] }>();
  let anyStrided = false;
  for (const source of tensors.values()) {
    if (source.strings !== undefined || source.bytes.length === 0) continue;
    if (!source.contiguous) anyStrided = true;
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
  const expanded = new Map<object, StoredRange>();
  if (!anyStrided) return expanded;
  for (const [storage, { low, high, logical, sources }] of found) {
    if (logical <= EXPANSION_FACTOR * (high - low) || !sources.some((source) => !source.contiguous)) continue;
    const bytes = new Uint8Array(high - low);
    for (const source of sources) bytes.set(source.bytes, source.byteOffset - low);
    expanded.set(storage, { low, bytes });
  }
  return expanded;
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

/** The logical values, contiguous: the memory itself where it already is. Shared memory is copied, since it may change meanwhile. */
export function logicalData(source: TensorSource): Uint8Array {
  if (!source.contiguous) {
    return gatherContiguous(source.bytes, {
      dtype: source.dtype,
      shape: source.shape,
      stride: source.stride,
      offset: 0,
    });
  }
  return source.bytes.buffer instanceof ArrayBuffer ? source.bytes : Uint8Array.from(source.bytes);
}

function packStrings(strings: readonly string[]): { bytes: Uint8Array; offsets: Uint8Array } {
  const encoded = strings.map((text) => Buffer.from(text, 'utf8'));
  const offsets = new BigInt64Array(strings.length + 1);
  let end = 0;
  encoded.forEach((bytes, index) => {
    end += bytes.length;
    offsets[index + 1] = BigInt(end);
  });
  return { bytes: Buffer.concat(encoded), offsets: new Uint8Array(offsets.buffer) };
}

function logicalBytes(source: TensorSource): number {
  if (source.strings !== undefined) {
    return source.strings.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  }
  if (source.contiguous) return source.bytes.length;
  const elements = source.shape.reduce((product, size) => product * size, 1);
  return Math.ceil((elements * dtypeOf(source.dtype).bitsPerElement) / 8);
}

function layoutOf(source: TensorSource, storage: number): TensorLayout {
  const bits = dtypeOf(source.dtype).bitsPerElement || 8;
  return {
    storage,
    storageBytes: source.storageBytes,
    offset: (source.byteOffset * 8) / bits,
    stride: [...source.stride],
    shape: [...source.shape],
    dtype: source.dtype,
    device: source.device,
    host: source.host,
  };
}
