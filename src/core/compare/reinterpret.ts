import { dtypeOf } from '../dtype/index.js';
import { FirError } from '../errors.js';
import type { DtypeName } from '../model/dtype.js';
import { Storage, Tensor } from '../tensor/index.js';

/**
 * The same bytes as elements of another dtype. Between dtypes of one size the layout stays; else the last dimension
 * takes the change, and the result is contiguous.
 *
 * @throws FirError USAGE where the bytes do not make whole elements, or a dtype is string.
 */
export function reinterpretTensor(tensor: Tensor, dtype: DtypeName): Tensor {
  const { shape, stride, offset, storage, device } = tensor;
  const from = dtypeOf(tensor.dtype);
  const to = dtypeOf(dtype);
  if (from.kind === 'string' || to.kind === 'string') {
    throw new FirError(
      'USAGE',
      `${from.name} elements can't be taken as ${to.name}: strings have no fixed size`,
    );
  }
  if (from.bitsPerElement === to.bitsPerElement) {
    return new Tensor({ dtype, shape, stride, offset, storage, device });
  }
  const last = ((shape.at(-1) ?? 0) * from.bitsPerElement) / to.bitsPerElement;
  if (shape.length === 0 || !Number.isInteger(last)) {
    throw new FirError(
      'USAGE',
      `a ${from.name}[${shape}] tensor can't be taken as ${to.name}: its last dimension is no whole number of elements`,
      { hint: 'Give --as a dtype whose size divides the bytes of a row.' },
    );
  }
  const bytes = tensor.contiguousBytes();
  return new Tensor({ dtype, shape: [...shape.slice(0, -1), last], storage: new Storage(bytes), device });
}
