import { dtypeOf } from '../dtype/index.js';
import { FirError } from '../errors.js';
import type { DtypeName } from '../model/dtype.js';
import type { TensorSource } from '../model/tensor.js';
import { quoteKey } from '../safetensors/quote-key.js';
import { extentOf, formatSizes } from '../tensor/index.js';
import { TYPED_STORAGES, UNTYPED_DTYPES } from './written-dtypes.js';

/** A tensor to write: a view of memory, of which `bytes` is the part from its first to its last element. */
export interface TorchWrite
  extends Pick<TensorSource, 'dtype' | 'shape' | 'stride' | 'storage' | 'byteOffset' | 'bytes'> {
  key: string;
}

/** A storage as a file holds it: the part of some memory that its views cover. */
export interface FileStorage {
  /** Class of a typed storage; undefined for an untyped one, whose views each say their dtype. */
  className: string | undefined;
  elementBytes: number;
  pieces: readonly Uint8Array[];
  byteLength: number;
}

/** Where a tensor lies in its storage of the file. */
export interface PlacedView {
  write: TorchWrite;
  /** Index into the storages. */
  storage: number;
  /** In bytes. */
  begin: number;
  elementBytes: number;
}

interface View {
  write: TorchWrite;
  elementBytes: number;
  low: number;
  high: number;
  index: number;
}

/** Views of one memory that lie further apart, and by more than they cover, become storages of their own. */
const MAX_GAP_BYTES = 1 << 16;

/**
 * Gives each memory a storage, and each tensor its place there, in the order of the tensors. Views of one memory share
 * one, unless a typed storage can't hold them all: torch gives that one dtype. Then each dtype has a copy of its own;
 * where a view is of a newer dtype, which older releases don't know anyhow, all share an untyped one.
 * FirError TENSOR_UNSUPPORTED for a dtype that torch lacks, TENSOR_INVALID for bytes that are not the view's.
 */
export function placeViews(writes: readonly TorchWrite[]): { storages: FileStorage[]; views: PlacedView[] } {
  const byMemory = new Map<object, View[]>();
  writes.forEach((write, index) => {
    const view = viewOf(write, index);
    const others = byMemory.get(write.storage);
    if (others === undefined) byMemory.set(write.storage, [view]);
    else others.push(view);
  });
  const storages: FileStorage[] = [];
  const placed: PlacedView[] = [];
  for (const views of byMemory.values()) {
    for (const group of views.length === 1 ? [views] : groupsOf(views)) {
      const { storage, low } = storageOf(group);
      for (const { write, elementBytes, index, low: begin } of group) {
        placed[index] = { write, storage: storages.length, begin: begin - low, elementBytes };
      }
      storages.push(storage);
    }
  }
  return { storages, views: placed };
}

function viewOf(write: TorchWrite, index: number): View {
  const { dtype, shape, stride, bytes, byteOffset, key } = write;
  if (!TYPED_STORAGES.has(dtype) && !UNTYPED_DTYPES.has(dtype)) {
    throw new FirError('TENSOR_UNSUPPORTED', `can not write tensor ${quoteKey(key)}: torch has no ${dtype}`);
  }
  const elementBytes = dtypeOf(dtype).bitsPerElement / 8;
  const extent = extentOf(shape, stride, 0);
  const covered = extent === undefined ? 0 : (extent.high + 1) * elementBytes;
  if (covered !== bytes.length || !Number.isSafeInteger(byteOffset) || byteOffset < 0) {
    throw new FirError(
      'TENSOR_INVALID',
      `can not write tensor ${quoteKey(key)}: shape ${formatSizes(shape)} with stride ${formatSizes(stride)} ` +
        `of ${dtype} covers ${covered} bytes, not ${bytes.length}`,
    );
  }
  return { write, elementBytes, low: byteOffset, high: byteOffset + covered, index };
}

/** Views that can be one storage, each in order of their first bytes. */
function groupsOf(views: readonly View[]): View[][] {
  const isUntyped = views.some(({ write }) => UNTYPED_DTYPES.has(write.dtype));
  const byKind = new Map<string, View[]>();
  for (const view of views) {
    const { write, elementBytes, low } = view;
    // Memory may begin anywhere, but an offset counts whole elements.
    const odd = low % elementBytes;
    const kind = isUntyped && odd === 0 ? 'untyped' : `${write.dtype} ${odd}`;
    const others = byKind.get(kind);
    if (others === undefined) byKind.set(kind, [view]);
    else others.push(view);
  }
  return [...byKind.values()].flatMap(splitAtGaps);
}

function splitAtGaps(views: readonly View[]): View[][] {
  const ordered = [...views].sort((a, b) => a.low - b.low || b.high - a.high);
  const runs: View[][] = [];
  let end = Number.NEGATIVE_INFINITY;
  let coveredBytes = 0;
  let gapBytes = 0;
  for (const view of ordered) {
    const last = runs.at(-1);
    if (last === undefined || view.low > end) {
      if (last !== undefined) gapBytes += view.low - end;
      runs.push([view]);
    } else last.push(view);
    coveredBytes += Math.max(0, view.high - Math.max(end, view.low));
    end = Math.max(end, view.high);
  }
  return gapBytes > Math.max(MAX_GAP_BYTES, coveredBytes) ? runs : [ordered];
}

function storageOf(views: readonly View[]): { storage: FileStorage; low: number } {
  const [first] = views;
  const dtype: DtypeName = first?.write.dtype ?? 'uint8';
  const isMixed = views.some(({ write }) => write.dtype !== dtype);
  const className = isMixed ? undefined : TYPED_STORAGES.get(dtype);
  const elementBytes = className === undefined ? 1 : (first?.elementBytes ?? 1);
  let low = first?.low ?? 0;
  // Each begins at a multiple of its own elements; with the start at one of the widest, it still does.
  if (isMixed) low -= low % Math.max(...views.map((view) => view.elementBytes));
  const pieces: Uint8Array[] = [];
  let end = low;
  for (const view of views) {
    if (view.high <= end) continue;
    // What lies between views is none of the file's business.
    if (view.low > end) pieces.push(new Uint8Array(view.low - end));
    pieces.push(view.low >= end ? view.write.bytes : view.write.bytes.subarray(end - view.low));
    end = view.high;
  }
  return { storage: { className, elementBytes, pieces, byteLength: end - low }, low };
}
