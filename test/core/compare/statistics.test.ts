import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { summariseStrings, summariseTensor, type TensorStatistics } from '../../../src/core/compare/index.js';
import { FirError } from '../../../src/core/errors.js';
import type { DtypeName } from '../../../src/core/model/dtype.js';
import { Tensor } from '../../../src/core/tensor/index.js';

const { NaN: nan, POSITIVE_INFINITY: inf, NaN: absent } = Number;

function summarise(dtype: DtypeName, values: number[] | bigint[], chunkBytes = 1 << 20): TensorStatistics {
  const isComplex = dtype.startsWith('complex');
  const shape = dtype === 'float4_e2m1fn_x2' || isComplex ? [values.length / 2] : [values.length];
  const tensor = Tensor.from(values, dtype, shape);
  return summariseTensor(dtype, () => cut(tensor.contiguousBytes(), chunkBytes), {
    elements: tensor.elements,
  });
}

function* cut(bytes: Uint8Array, chunkBytes: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
}

describe('figures', () => {
  test('are over finite elements, the others being counted', () => {
    const { histogram, ...figures } = summarise('float32', [1, nan, 2, inf, 3, -inf, 4, -0]);
    expect(figures).toEqual({
      elements: 8,
      nan: 1,
      inf: 2,
      zeros: 1,
      min: 0,
      max: 4,
      mean: 2,
      std: Math.SQRT2,
    });
    expect(histogram?.counts).toEqual([1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1]);
    expect(histogram?.edges).toEqual(Array.from({ length: 17 }, (_, i) => i / 4));
  });

  test('are absent where nothing is finite', () => {
    expect(summarise('float32', [nan, inf])).toEqual({ elements: 2, nan: 1, inf: 1, zeros: 0 });
    expect(summarise('float64', [])).toEqual({ elements: 0, nan: 0, inf: 0, zeros: 0 });
  });

  test('of bools are counts', () => {
    expect(summarise('bool', [1, 0, 1, 1])).toEqual({ elements: 4, nan: 0, inf: 0, zeros: 1, trues: 3 });
  });

  test('of complex numbers are of their moduli', () => {
    expect(summarise('complex64', [3, 4, 0, 0, nan, inf, inf, 1])).toMatchObject({
      elements: 4,
      nan: 1,
      inf: 1,
      zeros: 1,
      min: 0,
      max: 5,
      mean: 2.5,
      std: 2.5,
    });
  });

  test('of packed float4 are of values, of odd int4 without the padding', () => {
    expect(summarise('float4_e2m1fn_x2', [0.5, 6, -6, 0])).toMatchObject({
      elements: 4,
      zeros: 1,
      min: -6,
      max: 6,
    });
    expect(summarise('int4', [-8, 7, 3])).toMatchObject({ elements: 3, zeros: 0, min: -8, max: 7 });
  });

  test('have the extremes of 64-bit integers with every digit', () => {
    const low = -(2n ** 63n);
    const values = [2n ** 53n, 2n ** 53n + 1n, low + 1n, low, low + 2n, 2n ** 62n + 1n, 2n ** 62n];
    expect(summarise('int64', values)).toMatchObject({ min: low, max: 2n ** 62n + 1n });
    expect(summarise('int64', values, 8)).toMatchObject({ min: low, max: 2n ** 62n + 1n });
    expect(summarise('uint64', [7n])).toMatchObject({ min: 7n, max: 7n, mean: 7, std: 0 });
    expect(summarise('uint64', [2n ** 64n - 1n, 0n])).toMatchObject({
      min: 0n,
      max: 2n ** 64n - 1n,
      zeros: 1,
    });
  });
});

describe('precision', () => {
  test('small values beside large ones are not lost', () => {
    const values = [1e16, ...Array.from({ length: 1000 }, () => 1), -1e16];
    expect(summarise('float64', values).mean).toBe(1000 / 1002);
  });

  test('a large offset does not spoil the deviation', () => {
    expect(summarise('float64', [1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16]).std).toBeCloseTo(Math.sqrt(22.5), 12);
  });

  test.each([Number.MAX_VALUE, 1e300, 1e-300, 5e-324])(
    'values around %d neither overflow nor vanish',
    (unit) => {
      const { mean = absent, std = absent, histogram } = summarise('float64', [unit, -unit, unit, -unit]);
      expect([mean, std]).toEqual([0, unit]);
      expect(histogram?.counts.reduce((total, count) => total + count)).toBe(4);
      expect(summarise('float64', [unit, unit])).toMatchObject({ mean: unit, std: 0 });
    },
  );

  test('mean and deviation agree with exact arithmetic', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 1, maxLength: 60 }),
        (values) => {
          const count = values.length;
          const sum = values.reduce((total, value) => total + value, 0);
          const squares = values.reduce((total, value) => total + (count * value - sum) ** 2, 0);
          const { mean = absent, std = absent, min, max, zeros } = summarise('int16', values);
          expect(mean).toBe(sum / count);
          expect(std).toBeCloseTo(Math.sqrt(squares / count) / count, 10);
          expect([min, max]).toEqual([Math.min(...values), Math.max(...values)].map((value) => value + 0));
          expect(zeros).toBe(values.filter((value) => value === 0).length);
        },
      ),
    );
  });
});

describe('histogram', () => {
  test('has one bin where all values are equal', () => {
    expect(summarise('float32', [2, 2, nan]).histogram).toEqual({ edges: [2, 2], counts: [2] });
  });

  test('takes the number of bins', () => {
    const bytes = Tensor.from([0, 1, 2, 3], 'uint8').contiguousBytes();
    const { histogram } = summariseTensor('uint8', () => [bytes], { bins: 3 });
    expect(histogram).toEqual({ edges: [0, 1, 2, 3], counts: [1, 1, 2] });
  });

  test('has every finite value in the bin that its edges say', () => {
    const value = fc.double({ noNaN: true, noDefaultInfinity: true });
    const near = fc.double({ min: 1, max: 1 + 8 * Number.EPSILON, noNaN: true });
    const values = fc.oneof(fc.array(value, { minLength: 1 }), fc.array(near, { minLength: 1 }));
    fc.assert(
      fc.property(values, (numbers) => {
        const { histogram } = summarise('float64', numbers);
        const { edges = [], counts = [] } = histogram ?? {};
        expect(edges.every((edge, i) => i === 0 || edge >= (edges[i - 1] ?? absent))).toBe(true);
        const expected = counts.map(() => 0);
        for (const number of numbers) {
          const bin = edges.slice(0, -1).findLastIndex((edge) => edge <= number);
          expected[bin] = (expected[bin] ?? 0) + 1;
        }
        expect(counts).toEqual(expected);
      }),
    );
  });
});

describe('chunks', () => {
  test.each([1, 3, 4, 7, 8, 13])('of %d bytes give the same as one', (chunkBytes) => {
    for (const dtype of ['float64', 'complex128', 'float16', 'int64', 'uint8'] as const) {
      const values = Array.from({ length: 20 }, (_, i) => i * i - 50 * (i % 3));
      expect(summarise(dtype, values, chunkBytes)).toEqual(summarise(dtype, values));
    }
  });

  test('that are empty or larger than a block do no harm', () => {
    const bytes = new Uint8Array(1_000_003).fill(1);
    const chunks = () => [new Uint8Array(0), bytes, new Uint8Array(0)];
    expect(summariseTensor('uint8', chunks)).toMatchObject({ elements: 1_000_003, mean: 1, std: 0 });
    expect(summariseTensor('uint8', chunks, { elements: 300_000 }).elements).toBe(300_000);
  });

  test('that end inside an element are an error', () => {
    const summariseTorn = () => summariseTensor('float32', () => [new Uint8Array(6)]);
    expect(summariseTorn).toThrow(FirError);
    expect(summariseTorn).toThrow('the values end 2 bytes into an element of float32');
  });
});

test('strings are counted, with the range of their lengths in bytes', () => {
  expect(summariseStrings(['a', '', 'né'])).toEqual({ elements: 3, minBytes: 0, maxBytes: 3 });
  expect(summariseStrings([])).toEqual({ elements: 0 });
});
