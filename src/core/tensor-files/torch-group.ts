import type { TensorSource } from '../model/tensor.js';
import { encodeTorch } from '../torch/encode-torch.js';
import type { TorchWrite } from '../torch/place-views.js';
import {
  type EncodedFile,
  packStrings,
  type SavedRange,
  type SavedTensor,
  stillBytes,
} from './tensor-data.js';

const UNIT_STRIDE: readonly number[] = [1];

/**
 * Tensors as a file of torch.save, each as the view that it is. `aliases` are keys of the same tensors: they cost no
 * data there, and whoever loads the file finds every argument in it.
 */
export function encodeTorchGroup(
  saved: readonly SavedTensor[],
  aliases: ReadonlyMap<string, string>,
): EncodedFile {
  const writes = saved.flatMap(({ key, source }) => writesOf(key, source));
  const own = new Set(writes.map(({ key }) => key));
  const { pieces, byteLength, begins } = encodeTorch(
    writes,
    new Map([...aliases].filter(([, key]) => own.has(key))),
  );
  const positions = new Map<string, SavedRange>();
  for (const { key, source } of saved) {
    const begin = begins.get(key);
    if (begin === undefined) continue;
    const range = { begin, length: source.bytes.length };
    positions.set(key, source.contiguous ? range : { ...range, isRaw: true });
  }
  return { pieces, byteLength, positions, storedKeys: new Map() };
}

function writesOf(key: string, source: TensorSource): TorchWrite[] {
  if (source.strings !== undefined) {
    const { bytes, offsets } = packStrings(source.strings);
    return [flatWrite(`${key}#bytes`, 'uint8', bytes, 1), flatWrite(`${key}#offsets`, 'int64', offsets, 8)];
  }
  const bytes = stillBytes(source);
  if (source.dtype === 'int4' || source.dtype === 'uint4') return [flatWrite(key, 'uint8', bytes, 1)];
  const { dtype, shape, stride, storage, byteOffset } = source;
  return [{ key, dtype, shape, stride, storage, byteOffset, bytes }];
}

/** Bytes that are no view of the program's memory, or that torch has no dtype for. */
function flatWrite(
  key: string,
  dtype: 'uint8' | 'int64',
  bytes: Uint8Array,
  elementBytes: number,
): TorchWrite {
  const shape = [bytes.length / elementBytes];
  return { key, dtype, shape, stride: UNIT_STRIDE, storage: bytes, byteOffset: 0, bytes };
}
