import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DTYPES, decodeToBigInt, decodeToFloat64 } from '../../../../src/core/dtype/index.js';
import type { DtypeName } from '../../../../src/core/model/dtype.js';
import type { LayoutStatistics } from '../../../../src/core/model/tensor.js';
import { layoutStatistics } from '../../../../src/core/redact/index.js';
import { drawStrings, drawValues } from '../../../../src/core/replay/drawn/draw-values.js';
import { RandomStream } from '../../../../src/core/replay/drawn/random-stream.js';

const NUMBERS = [...DTYPES.values()].filter(({ kind }) => kind !== 'string' && kind !== 'bool');

function draw(dtype: DtypeName, stats: LayoutStatistics, elements: number, seed = 0): Uint8Array {
  return drawValues({ dtype, stats, elements }, new RandomStream(seed, 'a'), 0, elements);
}

describe.each(NUMBERS.map(({ name }) => name))('%s', (dtype) => {
  it('is drawn within the bounds of whatever was recorded', () => {
    const bytes = fc.uint8Array({ minLength: 64, maxLength: 64 });
    fc.assert(
      fc.property(bytes, fc.integer({ min: 0, max: 1000 }), (recorded, seed) => {
        const stats = layoutStatistics(dtype, elementsIn(dtype), () => [recorded]);
        const drawn = layoutStatistics(dtype, elementsIn(dtype), () => [
          draw(dtype, stats, elementsIn(dtype), seed),
        ]);
        expect([drawn.nan, drawn.inf]).toEqual([0, 0]);
        if (stats.min === undefined || stats.max === undefined) return;
        // The modulus is of two rounded parts.
        const slack = dtype.startsWith('complex') ? 1e-6 * Math.abs(Number(stats.max)) : 0;
        expect(Number(drawn.min)).toBeGreaterThanOrEqual(Number(stats.min) - slack);
        expect(Number(drawn.max)).toBeLessThanOrEqual(Number(stats.max) + slack);
      }),
      { numRuns: 50 },
    );
  });
});

function elementsIn(dtype: DtypeName): number {
  return (64 * 8) / (DTYPES.get(dtype)?.bitsPerElement ?? 8);
}

it('integers reach both of their bounds, and what lies between', () => {
  const values = decodeToFloat64('int32', draw('int32', { min: -1, max: 2 }, 200));
  expect(new Set(values)).toEqual(new Set([-1, 0, 1, 2]));
});

it('64-bit integers are exact beyond what a float64 holds', () => {
  const [min, max] = [2n ** 62n + 1n, 2n ** 62n + 3n];
  const values = decodeToBigInt('int64', draw('int64', { min, max }, 200));
  expect(new Set(values)).toEqual(new Set([min, min + 1n, max]));
});

it('floats follow mean and deviation where both are known', () => {
  const stats = { min: -100, max: 100, mean: 5, std: 2 };
  const drawn = layoutStatistics('float64', 4000, () => [draw('float64', stats, 4000)]);
  expect(drawn.mean).toBeCloseTo(5, 0);
  expect(drawn.std).toBeCloseTo(2, 0);
  const uniform = layoutStatistics('float64', 4000, () => [draw('float64', { min: -100, max: 100 }, 4000)]);
  expect(uniform.std).toBeGreaterThan(50);
});

it('booleans are as often true as they were', () => {
  const trues = draw('bool', { trues: 250 }, 1000).reduce((sum, value) => sum + value, 0);
  expect(trues).toBeGreaterThan(180);
  expect(trues).toBeLessThan(320);
  expect(draw('bool', { trues: 0 }, 100).every((value) => value === 0)).toBe(true);
  expect(draw('bool', { trues: 100 }, 100).every((value) => value === 1)).toBe(true);
});

it('nothing is known of values without bounds: they are 0', () => {
  expect([...decodeToFloat64('float32', draw('float32', { nan: 3 }, 3))]).toEqual([0, 0, 0]);
});

it('the same seed and name give the same values, another seed or name others', () => {
  const of = (seed: number, name: string) =>
    drawValues(
      { dtype: 'float32', stats: { min: 0, max: 1 }, elements: 8 },
      new RandomStream(seed, name),
      0,
      8,
    );
  expect(of(1, 'a')).toEqual(of(1, 'a'));
  expect(of(1, 'a')).not.toEqual(of(2, 'a'));
  expect(of(1, 'a')).not.toEqual(of(1, 'b'));
});

it.each(['float32', 'complex64', 'float4_e2m1fn_x2', 'int64', 'int4'] as const)(
  'a part of a tensor of %s has the values that the whole has there',
  (dtype) => {
    const range = { dtype, stats: { min: 1, max: 5 }, elements: 64 };
    const stream = new RandomStream(0, 'a');
    const whole = drawValues(range, stream, 0, 64);
    const bytesEach = whole.length / 64;
    expect(drawValues(range, stream, 16, 48)).toEqual(whole.slice(16 * bytesEach, 48 * bytesEach));
  },
);

it('strings are as long as the recorded ones, and not all the same', () => {
  const range = { dtype: 'string' as const, stats: { minBytes: 3, maxBytes: 20 }, elements: 50 };
  const strings = drawStrings(range, new RandomStream(0, 'a'));
  expect(strings.every((text) => /^[0-9a-z]{3,20}$/.test(text))).toBe(true);
  expect(new Set(strings).size).toBeGreaterThan(40);
});
