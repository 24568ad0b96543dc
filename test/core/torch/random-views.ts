import fc from 'fast-check';
import { dtypeOf } from '../../../src/core/dtype/index.js';
import type { DtypeName } from '../../../src/core/model/dtype.js';
import { extentOf, gatherContiguous } from '../../../src/core/tensor/index.js';
import type { TorchWrite } from '../../../src/core/torch/index.js';

/** Dtypes of every torch. */
export const OLD_DTYPES: readonly DtypeName[] = [
  'bool',
  'uint8',
  'int8',
  'int16',
  'int32',
  'int64',
  'float16',
  'bfloat16',
  'float32',
  'float64',
  'complex64',
  'complex128',
];

/** Dtypes of newer releases. */
export const NEW_DTYPES: readonly DtypeName[] = [
  'uint16',
  'uint32',
  'uint64',
  'float8_e4m3fn',
  'float8_e5m2',
  'float8_e4m3fnuz',
  'float8_e5m2fnuz',
  'float8_e8m0fnu',
  'float4_e2m1fn_x2',
];

/** A view of `memory`, which is as large as the layout asks for from `byteOffset` on. */
export function viewOf(
  key: string,
  memory: ArrayBuffer,
  dtype: DtypeName,
  shape: readonly number[],
  stride: readonly number[],
  byteOffset = 0,
): TorchWrite {
  const extent = extentOf(shape, stride, 0);
  const length = extent === undefined ? 0 : (extent.high + 1) * elementBytesOf(dtype);
  const bytes = new Uint8Array(memory, byteOffset, length);
  return { key, dtype, shape, stride, storage: memory, byteOffset, bytes };
}

export function elementBytesOf(dtype: DtypeName): number {
  return dtypeOf(dtype).bitsPerElement / 8;
}

/** The logical values, row-major, in hexadecimal digits. */
export function valuesOf({ bytes, dtype, shape, stride }: TorchWrite): string {
  return Buffer.from(gatherContiguous(bytes, { dtype, shape, stride, offset: 0 })).toString('hex');
}

const anyLayout = fc
  .array(fc.record({ size: fc.nat(4), step: fc.nat(6) }), { maxLength: 5 })
  .map((dims) => ({ shape: dims.map(({ size }) => size), stride: dims.map(({ step }) => step) }));

const anyKey = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('__proto__', 'arg_0', '', 'constructor'),
);

/** Tensors of these dtypes with any strides and offsets over a few memories that they share, under different keys. */
export function anyViews(dtypes: readonly DtypeName[]): fc.Arbitrary<TorchWrite[]> {
  const anyView = fc.record({
    key: anyKey,
    dtype: fc.nat(100),
    layout: anyLayout,
    memory: fc.nat(3),
    begin: fc.nat(20),
  });
  const anyMemory = fc.uint8Array({ minLength: 1, maxLength: 64 });
  return fc
    .tuple(
      fc.uniqueArray(anyView, { maxLength: 8, selector: ({ key }) => key }),
      fc.array(anyMemory, { minLength: 4, maxLength: 4 }),
      // Few at once: views share more often where their dtypes are the same.
      fc.subarray([...dtypes], { minLength: 1, maxLength: 3 }),
    )
    .map(([views, fills, chosen]) => {
      const memories = fills.map((fill) => {
        const memory = new ArrayBuffer(4096);
        new Uint8Array(memory).forEach((_, index, bytes) => {
          // A bool is 0 or 1 wherever it is; other dtypes take any bytes.
          bytes[index] = (fill[index % fill.length] ?? 0) & (dtypes.includes('bool') ? 1 : 0xff);
        });
        return memory;
      });
      return views.map(({ key, dtype: choice, layout, memory, begin }) => {
        const dtype = chosen[choice % chosen.length] ?? 'uint8';
        const { shape, stride } = layout;
        const bytes = memories[memory] ?? new ArrayBuffer(0);
        return viewOf(key, bytes, dtype, shape, stride, begin * elementBytesOf(dtype));
      });
    });
}
