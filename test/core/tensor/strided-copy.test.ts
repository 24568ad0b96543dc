import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dtypeOf } from '../../../src/core/dtype/index.js';
import type { DtypeName } from '../../../src/core/model/dtype.js';
import {
  extentOf,
  gatherContiguous,
  type StridedLayout,
  scatterContiguous,
} from '../../../src/core/tensor/index.js';

const DTYPES: DtypeName[] = ['uint8', 'bfloat16', 'float32', 'int64', 'complex64', 'complex128'];

interface Case {
  layout: StridedLayout;
  /** Where the bytes begin in their buffer. */
  shift: number;
}

/** Any layout with small sizes: gaps, overlaps, expanded and permuted dimensions, rows long and short. */
const anyCase: fc.Arbitrary<Case> = fc.record({
  layout: fc
    .record({
      dtype: fc.constantFrom(...DTYPES),
      dims: fc.array(fc.record({ size: fc.oneof(fc.nat(3), fc.nat(36)), stride: fc.nat(50) }), {
        maxLength: 3,
      }),
      inner: fc.constantFrom('any', 'rows', 'all'),
      offset: fc.nat(9),
    })
    .map(({ dtype, dims, inner, offset }) => {
      const shape = dims.map(({ size }) => size);
      const stride = dims.map((dim) => dim.stride);
      if (inner !== 'any' && stride.length > 0) stride[stride.length - 1] = 1;
      if (inner === 'all')
        for (let dim = shape.length - 2; dim >= 0; dim--)
          stride[dim] = (stride[dim + 1] ?? 1) * (shape[dim + 1] ?? 1);
      return { dtype, shape, stride, offset };
    }),
  shift: fc.nat(9),
});

/** Bytes that the layout fits into, counted through. */
function bytesFor({ layout, shift }: Case): Uint8Array {
  const size = dtypeOf(layout.dtype).bitsPerElement / 8;
  const extent = extentOf(layout.shape, layout.stride, layout.offset);
  const buffer = new Uint8Array(shift + ((extent?.high ?? 0) + 1) * size);
  return buffer.map((_, index) => (index * 131) >> 3).subarray(shift);
}

/** First byte of each element, in row-major order. */
function placesOf({ dtype, shape, stride, offset }: StridedLayout): number[] {
  const size = dtypeOf(dtype).bitsPerElement / 8;
  return shape
    .reduce(
      (starts, count, dim) =>
        starts.flatMap((start) =>
          Array.from({ length: count }, (_, index) => start + index * (stride[dim] ?? 0)),
        ),
      [offset],
    )
    .map((element) => element * size);
}

describe('gatherContiguous', () => {
  it('takes each element from its place', () => {
    fc.assert(
      fc.property(anyCase, (given) => {
        const bytes = bytesFor(given);
        const size = dtypeOf(given.layout.dtype).bitsPerElement / 8;
        const expected = placesOf(given.layout).flatMap((place) => [...bytes.subarray(place, place + size)]);
        expect(Buffer.compare(gatherContiguous(bytes, given.layout), Buffer.from(expected))).toBe(0);
      }),
      { numRuns: 150 },
    );
  });

  it('goes by blocks through a large matrix', () => {
    const words = Uint32Array.from({ length: 130 * 70 }, (_, index) => index);
    const layout = { dtype: 'uint32', shape: [70, 130], stride: [1, 70], offset: 0 } as const;
    const gathered = new Uint32Array(gatherContiguous(new Uint8Array(words.buffer), layout).buffer);
    for (const [at, row, column] of [
      [0, 0, 0],
      [129, 0, 129],
      [131, 1, 1],
      [69 * 130, 69, 0],
    ] as const) {
      expect(gathered[at]).toBe(row + 70 * column);
    }
    expect(new Set(gathered).size).toBe(9100);
  });

  it('refuses to read past the bytes', () => {
    const layout = { dtype: 'float32', shape: [2], stride: [1], offset: 0 } as const;
    expect(() => gatherContiguous(new Uint8Array(7), layout)).toThrow(
      'reaches byte 8 of a storage of 7 bytes',
    );
  });
});

describe('scatterContiguous', () => {
  it('puts each element to its place and touches nothing else', () => {
    fc.assert(
      fc.property(anyCase, (given) => {
        const places = placesOf(given.layout);
        // Where elements overlap it is not said which one stays.
        fc.pre(new Set(places).size === places.length);
        const size = dtypeOf(given.layout.dtype).bitsPerElement / 8;
        const target = bytesFor(given);
        const expected = [...target];
        const logical = Uint8Array.from({ length: places.length * size }, (_, index) => index * 7 + 1);
        for (const [index, place] of places.entries()) {
          for (let byte = 0; byte < size; byte++) expected[place + byte] = logical[index * size + byte] ?? 0;
        }
        scatterContiguous(target, given.layout, logical);
        expect(Buffer.compare(target, Buffer.from(expected))).toBe(0);
      }),
      { numRuns: 150 },
    );
  });

  it('gives back what was gathered, also where elements overlap', () => {
    fc.assert(
      fc.property(anyCase, (given) => {
        const bytes = bytesFor(given);
        const logical = new Uint8Array(gatherContiguous(bytes, given.layout));
        const target = new Uint8Array(bytes.length);
        scatterContiguous(target, given.layout, logical);
        expect(Buffer.compare(gatherContiguous(target, given.layout), logical)).toBe(0);
      }),
      { numRuns: 100 },
    );
  });

  it('refuses values of another size, and to write past the target', () => {
    const layout = { dtype: 'float32', shape: [2], stride: [2], offset: 0 } as const;
    expect(() => scatterContiguous(new Uint8Array(12), layout, new Uint8Array(4))).toThrow(
      '4 bytes of values for a tensor of 8',
    );
    expect(() => scatterContiguous(new Uint8Array(11), layout, new Uint8Array(8))).toThrow(
      'reaches byte 12 of a storage of 11',
    );
  });
});
