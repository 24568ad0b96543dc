import { decodeToBigInt, decodeToFloat64, dtypeOf } from '../dtype/index.js';
import type { DtypeName } from '../model/dtype.js';
import type { JsonValue } from '../model/json.js';
import type { Tensor } from '../tensor/index.js';
import { packedPerElement } from './decode.js';

/**
 * Index of the value at `position` in logical order. For packed float4 the last dimension counts values, two to a
 * byte of the shape; a tensor of no dimensions then has the indices [0] and [1].
 */
export function indexOf(shape: readonly number[], dtype: DtypeName, position: number): number[] {
  const packed = packedPerElement(dtype);
  return unravel(packed === 1 ? shape : [...shape.slice(0, -1), (shape.at(-1) ?? 1) * packed], position);
}

/** The exact value at `position`: a bigint for 64-bit integers, [real, imaginary] for complex, else a number. */
export function valueAt(tensor: Tensor, position: number): JsonValue {
  const { dtype } = tensor;
  const bytes = bytesAt(tensor, position);
  if (dtype === 'int64' || dtype === 'uint64') return decodeToBigInt(dtype, bytes)[0] ?? null;
  const [first = null, second = null] = decodeToFloat64(dtype, bytes);
  if (dtypeOf(dtype).kind === 'complex') return [first, second];
  return second !== null && position % 2 === 1 ? second : first;
}

/** The bytes that hold the value at `position`; packed values share theirs with a neighbour. */
function bytesAt(tensor: Tensor, position: number): Uint8Array {
  if (dtypeOf(tensor.dtype).bitsPerElement === 4) {
    const byte = Math.floor(position / 2);
    return tensor.contiguousBytes().subarray(byte, byte + 1);
  }
  let view = tensor;
  const element = Math.floor(position / packedPerElement(tensor.dtype));
  for (const index of unravel(tensor.shape, element)) view = view.select(0, index);
  return view.contiguousBytes();
}

function unravel(sizes: readonly number[], position: number): number[] {
  const index = new Array<number>(sizes.length);
  let rest = position;
  for (let dim = sizes.length - 1; dim >= 0; dim--) {
    const size = sizes[dim] ?? 1;
    index[dim] = rest % size;
    rest = Math.floor(rest / size);
  }
  return index;
}
