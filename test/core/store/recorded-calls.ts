// Calls with what the two tensor formats hold differently.
import type { DtypeName } from '../../../src/core/model/dtype.js';
import type { TensorSource } from '../../../src/core/model/tensor.js';
import { contiguousStride, Tensor } from '../../../src/core/tensor/index.js';
import type { RecordedCall } from '../../support/recorded-session.js';
import { tensorOf } from '../../support/session-writer.js';

function source(dtype: DtypeName, values: readonly number[], shape = [values.length]): TensorSource {
  const bytes = tensorOf(dtype, values, shape).bytes ?? new Uint8Array();
  const stride = contiguousStride(shape);
  const place = { storage: {}, storageBytes: bytes.length, byteOffset: 0, bytes, contiguous: true };
  return { dtype, shape, stride, ...place, device: 'cpu', host: 'Tensor' };
}

const matrix = Tensor.from([1, 2, 3, 4, 5, 6], 'float32', [2, 3]);
const column = Tensor.from([7, 8], 'int64', [2, 1]);
const bytes = Uint8Array.from({ length: 64 }, (_, index) => index);

/** What the formats hold differently: views, sharing, expansion, dtypes that one of them lacks. */
export const CALLS: RecordedCall[] = [
  { inputs: { arg_0: matrix, arg_1: matrix.t(), arg_2: matrix.slice(1, 1, 3), arg_3: matrix } },
  { inputs: { arg_0: column.expand([2, 900]), arg_1: column }, outputs: { result: column.expand([2, 700]) } },
  {
    inputs: {
      arg_0: new Float32Array(bytes.buffer, 8, 4),
      arg_1: new Int16Array(bytes.buffer, 16, 3),
      arg_2: bytes,
    },
  },
  {
    inputs: {
      arg_0: { ...source('uint8', []), dtype: 'string', shape: [2, 1], stride: [1, 1], strings: ['é', ''] },
    },
  },
  {
    inputs: {
      arg_0: source('int4', [1, -2, 3]),
      arg_1: source('uint4', [1, 2, 3, 15], [2, 2]),
      arg_2: source('complex128', [1, 2, 3, 4], [2]),
      arg_3: source('complex64', [1, 2], [1]),
      arg_4: source('bfloat16', [1, 2], [2, 1]),
      arg_7: source('int16', [1, 2]),
      arg_8: source('bool', [1, 0], [2]),
      arg_9: source('float64', [-0], []),
      arg_10: source('float32', [], [0, 4]),
    },
  },
  { inputs: { arg_0: matrix, arg_1: matrix.slice(0, 0, 1) }, contentless: ['arg_0'] },
  {
    inputs: { arg_0: matrix, arg_1: bytes },
    outputs: { result: matrix, other: matrix.t() },
    mutated: { arg_0: matrix.t().t(), arg_1: bytes },
  },
  {
    inputs: { arg_0: bytes, arg_1: matrix, arg_2: column },
    blobs: ['arg_0', 'arg_1'],
    outputs: { result: bytes },
  },
  { inputs: { arg_0: bytes }, blobs: ['arg_0'] },
  { inputs: { arg_0: matrix, arg_1: matrix }, mutated: { arg_0: matrix.t().t() }, mutatedAliases: ['arg_1'] },
  { inputs: {} },
];

/** Dtypes that came to torch later. */
export const NEWER_CALLS: RecordedCall[] = [
  {
    inputs: {
      arg_0: source('float8_e4m3fn', [1, 448]),
      arg_1: source('float4_e2m1fn_x2', [1, 6, -0.5, 2], [1, 2]),
      arg_2: source('uint64', [1, 2]),
      arg_3: source('uint16', [1, 2]),
    },
  },
];
