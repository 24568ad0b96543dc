import fc from 'fast-check';
import { expect, test } from 'vitest';
import { planStorages, type TensorExtent } from '../../../src/core/replay/storage-plan.js';

const extent = (key: string, low: number, high: number, more: Partial<TensorExtent> = {}): TensorExtent => ({
  key,
  storage: 1,
  low,
  high,
  realBytes: high - low,
  ...more,
});

test('tensors of one storage share a buffer that begins at a multiple of 16', () => {
  const { buffers } = planStorages([
    extent('a', 120, 140),
    extent('b', 100, 130),
    extent('c', 0, 4, { storage: 2 }),
  ]);
  expect(buffers).toEqual([
    { storage: 1, base: 96, high: 140, keys: ['b', 'a'] },
    { storage: 2, base: 0, high: 4, keys: ['c'] },
  ]);
});

test('tensors that no storage is known of have one each', () => {
  const { buffers } = planStorages([
    extent('a', 0, 8, { storage: undefined }),
    extent('b', 0, 8, { storage: undefined }),
  ]);
  expect(buffers.map(({ keys }) => keys)).toEqual([['a'], ['b']]);
});

test('of any claims, every tensor has its place and little memory is made beside the values', () => {
  const claim = fc
    .record({
      storage: fc.constantFrom(1, 2, 'x', undefined),
      low: fc.oneof(fc.nat(1000), fc.integer({ min: 0, max: 2 ** 50 })),
      size: fc.oneof(fc.nat(1000), fc.integer({ min: 0, max: 2 ** 50 })),
      real: fc.integer({ min: 1, max: 4096 }),
    })
    .map(({ storage, low, size, real }) => ({
      storage,
      low,
      high: low + size,
      realBytes: Math.min(real, size + 1),
    }));
  fc.assert(
    fc.property(fc.array(claim, { maxLength: 12 }), (claims) => {
      const extents = claims.map((one, index) => ({ ...one, key: `arg_${index}` }));
      const { buffers, sparse } = planStorages(extents);
      const planned = buffers.flatMap(({ keys }) => keys);
      expect([...planned, ...sparse].sort()).toEqual(extents.map(({ key }) => key).sort());
      for (const buffer of buffers) {
        expect(buffer.base % 16).toBe(0);
        for (const key of buffer.keys) {
          const own = extents.find((one) => one.key === key);
          expect(own?.storage).toBe(buffer.storage);
          expect(own?.low).toBeGreaterThanOrEqual(buffer.base);
          expect(own?.high).toBeLessThanOrEqual(buffer.high);
        }
      }
      const total = buffers.reduce((sum, { base, high }) => sum + high - base, 0);
      expect(total).toBeLessThan(12 * (256 * 1024 * 1024 + 128 * 1024));
    }),
  );
});
