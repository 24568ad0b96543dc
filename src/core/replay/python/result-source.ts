import { dtypeOf } from '../../dtype/index.js';
import { FirError } from '../../errors.js';
import type { TensorSource } from '../../model/tensor.js';
import { contiguousStride } from '../../tensor/index.js';
import type { ResultTensor } from './protocol.js';
import { readFileRange } from './read-file-range.js';
import type { SharedFiles } from './shared-files.js';

/** The tensors of a result by key, with their values. FirError WORKER_FAILED, TENSOR_DATA_MISSING, TOO_LARGE. */
export function resultSources(
  tensors: readonly ResultTensor[],
  payload: Buffer,
  files: SharedFiles,
): Map<string, TensorSource> {
  const storages = new Map<string, object>();
  return new Map(
    tensors.map((tensor) => {
      const storage = storages.get(tensor.storage) ?? {};
      storages.set(tensor.storage, storage);
      return [tensor.key, sourceOf(tensor, bytesOf(tensor, payload, files), storage)];
    }),
  );
}

function sourceOf(tensor: ResultTensor, bytes: Uint8Array, storage: object): TensorSource {
  const { shape, stride, layout } = tensor;
  const contiguous = contiguousStride(shape);
  const isCopy = layout === 'contiguous' && stride.join() !== contiguous.join();
  return {
    dtype: dtypeOf(tensor.dtype).name,
    shape,
    stride: layout === 'contiguous' ? contiguous : stride,
    storage,
    storageBytes: bytes.length,
    byteOffset: 0,
    bytes,
    contiguous: layout === 'contiguous',
    ...(isCopy ? { originalStride: stride } : {}),
    device: tensor.device,
    host: 'torch.Tensor',
  };
}

function bytesOf(
  { key, inline, file, bytes }: ResultTensor,
  payload: Buffer,
  files: SharedFiles,
): Uint8Array {
  if (inline !== undefined && inline + bytes <= payload.length)
    return payload.subarray(inline, inline + bytes);
  if (file !== undefined && files.owns(file)) return readFileRange(file, 0, bytes);
  throw new FirError('WORKER_FAILED', `the Python worker gave no values of ${key}`);
}
