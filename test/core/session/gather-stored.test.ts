import fc from 'fast-check';
import { expect, it } from 'vitest';
import { gatherStored } from '../../../src/core/session/gather-stored.js';
import { gatherContiguous } from '../../../src/core/tensor/index.js';

/** Dimensions of few elements each, whose steps may be far larger than what is read over. */
const layouts = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 5 }), fc.constantFrom(0, 1, 2, 3, 7, 1000, 40_000)), {
    maxLength: 4,
  })
  .chain((dims) =>
    fc.record({
      shape: fc.constant(dims.map(([size]) => size)),
      stride: fc.constant(dims.map(([, step]) => step)),
      offset: fc.nat(20),
      dtype: fc.constantFrom('float32' as const, 'float16' as const, 'uint8' as const, 'complex128' as const),
    }),
  );

it('gathers what a gather in memory does', () => {
  const storage = new Uint8Array(16 * 700_000);
  for (let at = 0; at < storage.length; at++) storage[at] = (at * 31 + (at >> 8)) & 0xff;
  fc.assert(
    fc.property(layouts, (layout) => {
      const read = (begin: number, end: number) => storage.slice(begin, end);
      expect(Buffer.from(gatherStored(read, layout))).toEqual(Buffer.from(gatherContiguous(storage, layout)));
    }),
  );
});

it('reads little of a large storage', () => {
  let bytes = 0;
  const read = (begin: number, end: number) => {
    bytes += end - begin;
    return new Uint8Array(end - begin).fill(begin / 4_000_000);
  };
  // A column of a matrix of 400 MB.
  const column = { dtype: 'float32' as const, shape: [100, 1], stride: [1_000_000, 1], offset: 0 };
  const values = gatherStored(read, column);
  expect([values[0], values[4], values[396]]).toEqual([0, 1, 99]);
  expect(bytes).toBeLessThan(1000);
});
