import { describe, expect, test } from 'vitest';
import { compareTensors, defaultComparison, toleranceFor } from '../../../src/core/compare/index.js';
import type { DtypeName } from '../../../src/core/model/dtype.js';
import type { OutputComparison } from '../../../src/core/model/verdict.js';
import { Storage, Tensor } from '../../../src/core/tensor/index.js';

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
const LOOSE = { rtol: 1e-2, atol: 0, source: 'test' };

function tensorOf(dtype: DtypeName, values: number[] | bigint[], shape?: number[]): Tensor {
  return Tensor.from(values, dtype, shape);
}

function bytesOf(dtype: DtypeName, bytes: number[], shape: number[]): Tensor {
  return Tensor.fromBytes(dtype, shape, Uint8Array.from(bytes));
}

function compare(
  actual: Tensor,
  expected: Tensor,
  changes: Partial<ReturnType<typeof defaultComparison>> = {},
): OutputComparison {
  const options = { ...defaultComparison(), ...changes };
  const tolerance = toleranceFor(options, 'f', 'result', expected.dtype);
  return compareTensors('result', actual, expected, tolerance, options);
}

describe('NaN and infinity', () => {
  const expected = tensorOf('float32', [inf, -inf, nan, 1, inf, 5]);
  const actual = tensorOf('float32', [inf, inf, nan, nan, 1e38, 5]);

  test('match where equal or NaN on both sides, are counted apart, and stay out of the figures', () => {
    expect(compare(actual, expected)).toEqual({
      key: 'result',
      kind: 'tensor',
      verdict: 'mismatch',
      reason: 'NaN or infinity differs at 3 elements, first at [1]',
      dtype: 'float32',
      shape: [6],
      elements: 6,
      mismatched: 3,
      nan: 2,
      inf: 3,
      maxAbs: { value: 0, index: [5], actual: 5, expected: 5 },
      maxRel: { value: 0, index: [5], actual: 5, expected: 5 },
      rmse: 0,
      cosine: 1,
      maxUlp: 0,
      tolerance: { rtol: 1.3e-6, atol: 1e-5, source: 'preset default (float32)' },
    });
  });

  test('NaN differs from NaN under the other rule, in equal bytes too', () => {
    expect(compare(actual, expected, { nan: 'unequal' }).mismatched).toBe(4);
    expect(compare(expected, expected, { nan: 'unequal' })).toMatchObject({
      verdict: 'mismatch',
      mismatched: 1,
      reason: 'NaN or infinity differs at 1 element, first at [2]',
    });
    expect(compare(expected, expected)).toMatchObject({ verdict: 'pass', mismatched: 0, nan: 1, inf: 3 });
  });

  test('a tensor without finite pairs has no figures', () => {
    const { maxAbs, maxRel, rmse, cosine, maxUlp, verdict } = compare(
      tensorOf('float64', [nan, inf]),
      tensorOf('float64', [nan, inf]),
    );
    expect([verdict, maxAbs, maxRel, rmse, cosine, maxUlp]).toEqual(['pass', ...Array(5).fill(undefined)]);
  });

  test('those that a ratio lets pass are a note', () => {
    const tolerance = { rtol: 0, atol: 0, ratio: 0.5, source: 'test' };
    const comparison = compareTensors('result', actual, expected, tolerance, { nan: 'equal' });
    expect(comparison.verdict).toBe('pass');
    expect(comparison.notes).toEqual(['NaN or infinity differs at 3 elements, first at [1]']);
  });
});

describe('integers and bools', () => {
  test('64-bit integers are compared with every digit', () => {
    const [actual, expected] = [[2n ** 53n + 1n], [2n ** 53n]].map((values) => tensorOf('int64', values));
    expect(compare(actual as Tensor, expected as Tensor)).toMatchObject({
      verdict: 'mismatch',
      mismatched: 1,
      maxAbs: { value: 1, index: [0], actual: 9007199254740993n, expected: 9007199254740992n },
    });
  });

  test('the widest differences of 64 bits do not wrap, and of two that round alike the greater is found', () => {
    const low = -(2n ** 63n);
    const high = 2n ** 63n - 1n;
    const signed = compare(tensorOf('int64', [high - 1n, high, 0n]), tensorOf('int64', [low, low, 0n]));
    expect(signed.maxAbs).toEqual({ value: 2 ** 64, index: [1], actual: high, expected: low });
    const unsigned = compare(tensorOf('uint64', [2n ** 64n - 1n]), tensorOf('uint64', [0n]));
    expect(unsigned.maxAbs).toEqual({ value: 2 ** 64, index: [0], actual: 2n ** 64n - 1n, expected: 0n });
    expect(unsigned.maxRel).toBeUndefined();
  });

  test.each<[DtypeName, number, number, number]>([
    ['int32', 1001, 1000, 1],
    ['uint8', 1, 2, 1],
    ['uint8', 1, 3, 2],
    ['int8', -128, 127, 255],
    ['uint32', 0, 4294967295, 4294967295],
    ['int4', -8, 7, 15],
  ])('%s %d is not %d, whatever tolerance is given', (dtype, actual, expected, difference) => {
    const tensors = [tensorOf(dtype, [actual]), tensorOf(dtype, [expected])] as const;
    const comparison = compareTensors('result', ...tensors, LOOSE, { nan: 'equal' });
    expect(comparison).toMatchObject({
      verdict: 'mismatch',
      mismatched: 1,
      maxAbs: { value: difference, actual, expected },
      tolerance: { rtol: 0, atol: 0 },
    });
    expect([comparison.nan, comparison.inf, comparison.maxUlp]).toEqual([undefined, undefined, undefined]);
  });

  test('bools are only counted, and any byte but 0 is true', () => {
    const comparison = compare(bytesOf('bool', [1, 0, 2, 0], [4]), bytesOf('bool', [0, 0, 1, 1], [4]));
    expect(comparison).toEqual({
      key: 'result',
      kind: 'tensor',
      verdict: 'mismatch',
      dtype: 'bool',
      shape: [4],
      elements: 4,
      mismatched: 2,
      tolerance: { rtol: 0, atol: 0, source: 'exact (bool)' },
    });
  });

  test('the padding of an odd number of 4-bit integers is no element', () => {
    const comparison = compare(bytesOf('uint4', [0x21, 0xf3], [3]), bytesOf('uint4', [0x21, 0x03], [3]));
    expect(comparison).toMatchObject({ verdict: 'pass', elements: 3, mismatched: 0 });
    const differing = compare(bytesOf('int4', [0x21, 0x03], [3]), bytesOf('int4', [0x71, 0x03], [3]));
    expect(differing.maxAbs).toEqual({ value: 5, index: [1], actual: 2, expected: 7 });
  });
});

describe('floats', () => {
  const bfloat16 = [bytesOf('bfloat16', [0x81, 0x3f], [1]), bytesOf('bfloat16', [0x80, 0x3f], [1])] as const;

  test('bfloat16 neighbours pass at their own default and fail at that of float32', () => {
    expect(compare(...bfloat16)).toMatchObject({ verdict: 'pass', maxAbs: { value: 0.0078125 }, maxUlp: 1 });
    const asFloat32 = { rtol: 1.3e-6, atol: 1e-5, source: 'test' };
    expect(compareTensors('result', ...bfloat16, asFloat32, { nan: 'equal' }).verdict).toBe('mismatch');
  });

  test('float32 is held to its default', () => {
    expect(compare(tensorOf('float32', [1.00001]), tensorOf('float32', [1])).verdict).toBe('pass');
    expect(compare(tensorOf('float32', [1.00002]), tensorOf('float32', [1])).verdict).toBe('mismatch');
  });

  test('float8 is exact unless steps are allowed', () => {
    const neighbours = [
      bytesOf('float8_e4m3fn', [0x39], [1]),
      bytesOf('float8_e4m3fn', [0x38], [1]),
    ] as const;
    const figures = { maxAbs: { value: 0.125, actual: 1.125, expected: 1 }, maxUlp: 1 };
    expect(compare(...neighbours)).toMatchObject({ verdict: 'mismatch', ...figures });
    expect(compare(...neighbours, { preset: 'flashinfer' }).verdict).toBe('mismatch');
    expect(compare(...neighbours, { ulp: 1 })).toMatchObject({
      verdict: 'pass',
      ...figures,
      tolerance: { source: 'within --ulp 1' },
    });
    const twoApart = [bytesOf('float8_e4m3fn', [0x3a], [1]), bytesOf('float8_e4m3fn', [0x38], [1])] as const;
    expect(compare(...twoApart, { ulp: 1 }).verdict).toBe('mismatch');
  });

  test('steps never make NaN or an infinity match, and count for no wider float', () => {
    const infinite = [bytesOf('float8_e5m2', [0x7b], [1]), bytesOf('float8_e5m2', [0x7c], [1])] as const;
    expect(compare(...infinite, { ulp: 4 })).toMatchObject({ verdict: 'mismatch', inf: 1, nan: 0 });
    const wide = [tensorOf('float32', [1.5]), tensorOf('float32', [1])] as const;
    expect(compare(...wide, { ulp: 2 ** 30 }).verdict).toBe('mismatch');
  });

  test('packed float4 is compared value by value', () => {
    // Codes low half first: 1, 0.5, -0, 6 against 1, 1, 0, 6.
    const actual = bytesOf('float4_e2m1fn_x2', [0x12, 0x78], [1, 2]);
    const expected = bytesOf('float4_e2m1fn_x2', [0x22, 0x70], [1, 2]);
    expect(compare(actual, expected)).toMatchObject({
      verdict: 'mismatch',
      shape: [1, 2],
      elements: 4,
      mismatched: 1,
      maxAbs: { value: 0.5, index: [0, 1], actual: 0.5, expected: 1 },
      maxUlp: 1,
    });
    expect(compare(actual, expected, { ulp: 1 }).verdict).toBe('pass');
    const scalar = compare(bytesOf('float4_e2m1fn_x2', [0x12], []), bytesOf('float4_e2m1fn_x2', [0x22], []));
    expect(scalar.maxAbs?.index).toEqual([1]);
  });

  test.each<[DtypeName, number, number, number]>([
    ['float32', 0, -0, 0],
    ['float32', 1.401298464324817e-45, -1.401298464324817e-45, 2],
    ['float32', 1, 2, 8388608],
    ['float64', 1, 2, 2 ** 52],
    ['float64', 5e-324, -5e-324, 2],
    ['float64', Number.MAX_VALUE, -Number.MAX_VALUE, Number(2n * 0x7fefffffffffffffn)],
    ['float16', 1, -1, 2 * 0x3c00],
    ['float8_e8m0fnu', 4, 1, 2],
  ])('%s %d and %d are %d representable values apart', (dtype, actual, expected, steps) => {
    expect(compare(tensorOf(dtype, [actual]), tensorOf(dtype, [expected])).maxUlp).toBe(steps);
  });

  test('zeros of both signs match exactly', () => {
    expect(compare(tensorOf('float32', [0]), tensorOf('float32', [-0]), { preset: 'exact' }).verdict).toBe(
      'pass',
    );
  });

  test('a difference that overflows never matches', () => {
    const tensors = [tensorOf('float64', [1.7e308]), tensorOf('float64', [-1.7e308])] as const;
    const comparison = compareTensors(
      'result',
      ...tensors,
      { rtol: 10, atol: 0, source: 'test' },
      { nan: 'equal' },
    );
    expect(comparison).toMatchObject({ verdict: 'mismatch', maxAbs: { value: inf }, rmse: inf, cosine: -1 });
  });

  test('where the recorded value is 0 there is no relative difference', () => {
    const comparison = compare(tensorOf('float32', [1, 3]), tensorOf('float32', [0, 2]));
    expect(comparison.maxRel).toEqual({ value: 0.5, index: [1], actual: 3, expected: 2 });
    expect(compare(tensorOf('float32', [1]), tensorOf('float32', [0])).maxRel).toBeUndefined();
  });

  test('of equal extremes the first is reported', () => {
    const comparison = compare(
      tensorOf('float32', [1, 2, 3, 4], [2, 2]),
      tensorOf('float32', [1, 3, 2, 4], [2, 2]),
    );
    expect(comparison.maxAbs?.index).toEqual([0, 1]);
  });

  test.each([
    [[0, 0], [0, 0], 1],
    [[1, 0], [0, 0], 0],
    [[0, 1], [1, 0], 0],
    [[1, 1], [-1, -1], -1],
    [[3, 4], [4, 3], 0.96],
  ])('cosine of %j and %j is %d', (actual, expected, cosine) => {
    expect(compare(tensorOf('float32', actual), tensorOf('float32', expected)).cosine).toBeCloseTo(
      cosine,
      14,
    );
  });

  test.each([1e-300, 1e-160, 1, 1e160, 1e300])('rmse and cosine keep their precision around %d', (unit) => {
    const actual = tensorOf('float64', [3 * unit, 4 * unit]);
    const expected = tensorOf('float64', [4 * unit, 3 * unit]);
    const { rmse = nan, cosine = nan } = compare(actual, expected);
    expect(rmse / unit).toBeCloseTo(1, 12);
    expect(cosine).toBeCloseTo(0.96, 12);
  });
});

describe('complex', () => {
  test('matches by the modulus of the difference', () => {
    const expected = tensorOf('complex64', [3, 4, 0, 0], [2]);
    const actual = tensorOf('complex64', [6, 8, 0, 0], [2]);
    const at = (atol: number) =>
      compareTensors('result', actual, expected, { rtol: 0, atol, source: 'test' }, { nan: 'equal' });
    expect(at(5).verdict).toBe('pass');
    expect(at(4.99)).toMatchObject({
      verdict: 'mismatch',
      mismatched: 1,
      maxAbs: { value: 5, index: [0], actual: [6, 8], expected: [3, 4] },
      maxRel: { value: 1, index: [0] },
      cosine: 1,
    });
    expect(at(4.99).rmse).toBeCloseTo(Math.sqrt(12.5), 14);
    expect(at(4.99).maxUlp).toBeUndefined();
  });

  test('is NaN where a part is, and infinities match only with both parts equal', () => {
    const expected = tensorOf('complex128', [nan, 1, inf, 1, inf, 1, inf, nan, 1, 1], [5]);
    const actual = tensorOf('complex128', [2, nan, inf, 1, inf, 2, nan, nan, 1, 1], [5]);
    const comparison = compareTensors('result', actual, expected, LOOSE, { nan: 'equal' });
    expect(comparison).toMatchObject({ mismatched: 1, nan: 2, inf: 2, maxAbs: { value: 0, index: [4] } });
    expect(compareTensors('result', actual, expected, LOOSE, { nan: 'unequal' }).mismatched).toBe(3);
  });

  test('moduli neither overflow nor vanish', () => {
    const difference = (unit: number) =>
      compare(tensorOf('complex128', [3 * unit, 4 * unit], [1]), tensorOf('complex128', [0, 0], [1])).maxAbs
        ?.value;
    expect(difference(2 ** 1000)).toBe(5 * 2 ** 1000);
    expect(difference(2 ** -1000)).toBe(5 * 2 ** -1000);
  });
});

describe('layout', () => {
  test('a dtype or shape that differs is a mismatch before anything else', () => {
    const half = tensorOf('float16', [1, 2]);
    const single = tensorOf('float32', [1, 2], [2, 1]);
    expect(compare(half, single)).toEqual({
      key: 'result',
      kind: 'tensor',
      verdict: 'mismatch',
      reason: 'dtype differs: float16, recorded float32; shape differs: [2], recorded [2,1]',
      dtype: 'float32',
      shape: [2, 1],
      tolerance: { rtol: 1.3e-6, atol: 1e-5, source: 'preset default (float32)' },
    });
    expect(compare(tensorOf('float32', [1]), tensorOf('float32', [1], [])).reason).toBe(
      'shape differs: [1], recorded []',
    );
  });

  test('elements are compared in logical order, and a stride that differs is a note', () => {
    const expected = tensorOf('float32', [1, 2, 3, 4, 5, 6], [2, 3]);
    const actual = tensorOf('float32', [1, 4, 2, 5, 3, 7], [3, 2]).t();
    expect(compare(actual, expected)).toMatchObject({
      verdict: 'mismatch',
      notes: ['stride differs: [1,2], recorded [3,1]'],
      mismatched: 1,
      maxAbs: { value: 1, index: [1, 2], actual: 7, expected: 6 },
    });
  });

  test('strides along dimensions of one element say nothing', () => {
    const storage = new Storage(new Uint8Array(8));
    const actual = new Tensor({ dtype: 'float32', shape: [1, 2], stride: [7, 1], storage });
    const expected = new Tensor({ dtype: 'float32', shape: [1, 2], stride: [2, 1], storage });
    expect(compare(actual, expected).notes).toBeUndefined();
  });

  test('tensors of no dimensions and of no elements compare', () => {
    const scalar = compare(tensorOf('float32', [2], []), tensorOf('float32', [1], []));
    expect(scalar).toMatchObject({ verdict: 'mismatch', elements: 1, maxAbs: { index: [] } });
    const empty = compare(tensorOf('float32', [], [2, 0]), tensorOf('float32', [], [2, 0]));
    expect(empty).toMatchObject({ verdict: 'pass', elements: 0, mismatched: 0, nan: 0, inf: 0 });
    expect(empty.maxAbs).toBeUndefined();
  });

  test('bytes at odd addresses are read', () => {
    const bytes = Buffer.concat([Buffer.alloc(1), Buffer.from(Float64Array.of(1, 2).buffer)]).subarray(1);
    const actual = Tensor.fromBytes('float64', [2], bytes);
    expect(compare(actual, tensorOf('float64', [1, 3])).maxAbs).toMatchObject({ value: 1, index: [1] });
  });
});

describe('ratio', () => {
  const expected = tensorOf('int32', [1, 2, 3, 4]);
  const actual = tensorOf('int32', [1, 2, 3, 5]);
  test.each([
    [0.75, 'pass'],
    [0.76, 'mismatch'],
    [1, 'mismatch'],
  ])('three of four against %d: %s', (ratio, verdict) => {
    const tolerance = { rtol: 0, atol: 0, ratio, source: 'test' };
    const comparison = compareTensors('result', actual, expected, tolerance, { nan: 'equal' });
    expect(comparison).toMatchObject({ verdict, mismatched: 1, tolerance: { ratio } });
  });
});
