import { byteLengthOf } from '../dtype/index.js';
import type { TensorSource } from '../model/tensor.js';
import { extentOf, type Tensor } from '../tensor/index.js';

/** Describes a `fir` Tensor: its storage is known by the ArrayBuffer below it, which typed arrays may share. */
export function describeFirTensor(tensor: Tensor): TensorSource {
  const { dtype, shape, stride, offset, device } = tensor;
  const memory = tensor.storage.bytes;
  const extent = extentOf(shape, stride, offset);
  const begin = extent === undefined ? 0 : byteLengthOf(dtype, extent.low);
  const end = extent === undefined ? 0 : byteLengthOf(dtype, extent.high + 1);
  return {
    dtype,
    shape,
    stride,
    storage: memory.buffer,
    storageBytes: memory.buffer.byteLength,
    byteOffset: memory.byteOffset + begin,
    bytes: memory.subarray(begin, end),
    contiguous: tensor.isContiguous(),
    device,
    host: 'fir.Tensor',
  };
}
