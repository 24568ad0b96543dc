import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DurationSample } from '../../../src/core/inspect/duration-sample.js';

function sampleOf(durations: Iterable<number>): DurationSample {
  const sample = new DurationSample();
  for (const duration of durations) sample.add(duration);
  return sample;
}

describe('DurationSample', () => {
  it('has no percentile of nothing', () => {
    expect(sampleOf([]).percentiles([0.5, 0.95])).toEqual([null, null]);
  });

  it('gives the smallest duration that the fraction does not exceed', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(), { minLength: 1 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (all, fraction) => {
          const [found] = sampleOf(all).percentiles([fraction]);
          const sorted = all.toSorted((a, b) => a - b);
          const expected = sorted.find((_, index) => (index + 1) / sorted.length >= fraction - 1e-12);
          expect(found).toBe(expected);
        },
      ),
    );
  });

  it('is exact up to 10,000 durations and close to it past them, always with the same answer', () => {
    const count = (length: number) => Array.from({ length }, (_, index) => (index * 7919) % length);
    expect(sampleOf(count(10_000)).percentiles([0.5, 0.95])).toEqual([4_999, 9_499]);
    const many = sampleOf(count(300_000)).percentiles([0.5, 0.95]);
    expect(many[0]).toBeGreaterThan(140_000);
    expect(many[0]).toBeLessThan(160_000);
    expect(many[1]).toBeGreaterThan(280_000);
    expect(many[1]).toBeLessThan(290_000);
    expect(sampleOf(count(300_000)).percentiles([0.5, 0.95])).toEqual(many);
  });
});
