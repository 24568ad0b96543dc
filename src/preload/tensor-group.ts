import { dtypeOf } from '../core/dtype/index.js';
import type { CallRecord } from '../core/model/call.js';
import type { LayoutStatistics, TensorLayout, TensorSource } from '../core/model/tensor.js';
import { encodeSafetensorsGroup } from '../core/tensor-files/safetensors-group.js';
import {
  type EncodedFile,
  logicalBytes,
  type SavedRange,
  type SavedTensor,
} from '../core/tensor-files/tensor-data.js';
import { encodeTorchGroup } from '../core/tensor-files/torch-group.js';
import { allocateFromSlab } from './slab.js';

/** Below this many bytes a group is copied into one buffer: one write, and the snapshot that changes are seen against. */
const SMALL_GROUP_BYTES = 1 << 20;

export type TensorFormat = CallRecord['tensor_format'];

const EXTENSIONS: Readonly<Record<TensorFormat, string>> = { safetensors: 'safetensors', torch: 'pt' };

/** The tensors of one file (`inputs`, `outputs`, `mutated`) with their layouts, ready to be written. */
export interface TensorGroup {
  format: TensorFormat;
  file: string;
  layouts: Record<string, TensorLayout>;
  keys: string[];
  /** Logical bytes of all tensors, as the record reports them. */
  sizeBytes: number;
  /** The whole file in pieces, in order; empty when there is nothing to write. */
  pieces: Uint8Array[];
  fileBytes: number;
  /** By key, the SHA-256 of what stands under `blobs/`. */
  blobs: Map<string, string>;
  /** Where the saved bytes of a key stand in the file. */
  positions: ReadonlyMap<string, SavedRange>;
  /** The file's bytes, for small groups. */
  copy: Buffer | undefined;
  /** Nothing is written, and what the tensors hold is kept as a hash of each. */
  isRedacted: boolean;
}

export interface LayoutContext {
  format: TensorFormat;
  storageId(storage: object): number;
  /** Another key of the call that is the very same tensor. */
  sameAs?(key: string, source: TensorSource): string | undefined;
  /** The sha256 of content that goes under `blobs/`; undefined keeps it in the dump. */
  blob?(key: string, source: TensorSource): string | undefined;
  /** The sha256 of content that is known by it, and is told where the content is not. */
  identity?(key: string, source: TensorSource): string | undefined;
  /** Contents are not saved. */
  isContentless?(key: string): boolean;
  /** In a safetensors file every tensor by itself, an expanded one as its logical values. */
  isPlain?: boolean;
  /** What takes the place of the values, which are not written. */
  statisticsOf?: ((source: TensorSource) => LayoutStatistics) | undefined;
}

/** Lays the tensors of one group out for its file. Nothing is copied but what the format can't hold as it lies. */
export function layOutGroup(
  name: 'inputs' | 'outputs' | 'mutated',
  tensors: ReadonlyMap<string, TensorSource>,
  context: LayoutContext,
): TensorGroup {
  const { format } = context;
  const group: TensorGroup = {
    format,
    file: `${name}.${EXTENSIONS[format]}`,
    layouts: {},
    keys: [],
    sizeBytes: 0,
    pieces: [],
    fileBytes: 0,
    blobs: new Map(),
    positions: new Map(),
    copy: undefined,
    isRedacted: context.statisticsOf !== undefined,
  };
  const saved: SavedTensor[] = [];
  const aliases = new Map<string, string>();
  for (const [key, source] of tensors) {
    const layout = layoutOf(source, context.storageId(source.storage));
    group.layouts[key] = layout;
    group.keys.push(key);
    group.sizeBytes += logicalBytes(source);
    const same = context.sameAs?.(key, source);
    if (same !== undefined) {
      layout.data = { sameAs: same };
      aliases.set(key, same);
      continue;
    }
    // Strings are values of the program's own, which a library may not write to.
    if (source.strings === undefined && context.isContentless?.(key)) continue;
    if (context.statisticsOf !== undefined) {
      const identity = context.identity?.(key, source);
      layout.data = identity === undefined ? { redacted: true } : { redacted: true, sha256: identity };
      layout.stats = context.statisticsOf(source);
      continue;
    }
    const sha256 = context.blob?.(key, source);
    if (sha256 !== undefined) {
      layout.data = { sha256 };
      group.blobs.set(key, sha256);
      continue;
    }
    saved.push({ key, source, storage: layout.storage });
  }
  if (saved.length === 0) return group;
  const file =
    format === 'torch'
      ? encodeTorchGroup(saved, aliases)
      : encodeSafetensorsGroup(saved, tensors, context.isPlain ?? false);
  for (const { key } of saved) {
    const layout = group.layouts[key];
    if (layout !== undefined) layout.data = { file: group.file, key: file.storedKeys.get(key) ?? key };
  }
  assemble(group, file);
  return group;
}

function assemble(group: TensorGroup, { pieces, byteLength, positions }: EncodedFile): void {
  group.positions = positions;
  group.fileBytes = byteLength;
  if (byteLength > SMALL_GROUP_BYTES) {
    group.pieces = pieces;
    return;
  }
  const copy = allocateFromSlab(byteLength);
  let at = 0;
  for (const piece of pieces) {
    copy.set(piece, at);
    at += piece.length;
  }
  group.copy = copy;
  group.pieces = [copy];
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
