import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bitwiseDifference } from '../../../src/core/compare/index.js';
import { byteLengthOf, DTYPES, dtypeOf } from '../../../src/core/dtype/index.js';
import type { DtypeName } from '../../../src/core/model/dtype.js';
import { Tensor } from '../../../src/core/tensor/index.js';

const NUMERIC = [...DTYPES.keys()].filter((name) => name !== 'string');

test.each<[string, DtypeName, number[], number[], number, number]>([
  ['nothing', 'float32', [1, 2], [1, 2], 0, 0],
  ['values', 'float32', [1, 2.5], [1, 2], 1, 0.5],
  ['the sign of zero', 'float64', [0, 1], [-0, 1], 1, 0],
  ['only NaN', 'float32', [Number.NaN, 3], [1, 3], 1, 0],
  ['integers', 'int16', [-5, 7], [5, 7], 1, 10],
  ['complex parts', 'complex64', [1, 2, 3, 4], [1, 2, 0, 0], 1, 5],
  ['bools', 'bool', [1, 0, 1], [1, 1, 1], 1, 1],
])('of %s', (_, dtype, actual, expected, elements, maxAbs) => {
  const shape = [actual.length / (dtypeOf(dtype).kind === 'complex' ? 2 : 1)];
  const difference = bitwiseDifference(
    Tensor.from(actual, dtype, shape),
    Tensor.from(expected, dtype, shape),
  );
  expect(difference).toEqual({ elements, maxAbs });
});

test('NaN of another payload is another value', () => {
  const of = (bits: number) => Tensor.from(Uint32Array.of(bits, 0));
  const asFloat = (tensor: Tensor) => Tensor.fromBytes('float32', [2], tensor.contiguousBytes());
  expect(bitwiseDifference(asFloat(of(0x7fc00000)), asFloat(of(0x7fc00001)))).toEqual({
    elements: 1,
    maxAbs: 0,
  });
});

test('layout is no difference; dtype and shape are', () => {
  const matrix = Tensor.from([1, 2, 3, 4, 5, 6], 'float32', [2, 3]);
  const turned = Tensor.from([1, 4, 2, 5, 3, 6], 'float32', [3, 2]).t();
  expect(bitwiseDifference(turned, matrix)).toEqual({ elements: 0, maxAbs: 0 });
  const all = { elements: 6, maxAbs: Number.POSITIVE_INFINITY };
  expect(bitwiseDifference(matrix.t(), matrix)).toEqual(all);
  expect(bitwiseDifference(Tensor.from([1], 'float64'), matrix)).toEqual(all);
});

describe.each(NUMERIC)('%s', (dtype) => {
  test('counts every element of which a bit differs', () => {
    const { bitsPerElement } = dtypeOf(dtype);
    const packed = dtype === 'float4_e2m1fn_x2' ? 2 : 1;
    const bits = bitsPerElement / packed;
    const flips = fc.record({
      elements: fc.integer({ min: 1, max: 20 }),
      at: fc.array(fc.nat(20 * bitsPerElement - 1), { maxLength: 8 }),
      seed: fc.uint8Array({ minLength: 20 * 16, maxLength: 20 * 16 }),
    });
    fc.assert(
      fc.property(flips, ({ elements, at, seed }) => {
        const expected = seed.slice(0, byteLengthOf(dtype, elements));
        const actual = expected.slice();
        const flipped = [...new Set(at)].filter((bit) => bit < elements * bitsPerElement);
        for (const bit of flipped) actual[bit >> 3] = (actual[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const tensors = [actual, expected].map((bytes) => Tensor.fromBytes(dtype, [elements], bytes));
        const { elements: count } = bitwiseDifference(...(tensors as [Tensor, Tensor]));
        expect(count).toBe(new Set(flipped.map((bit) => Math.floor(bit / bits))).size);
      }),
      { numRuns: 60 },
    );
  });
});
