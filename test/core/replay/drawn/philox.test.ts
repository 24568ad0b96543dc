import { expect, it } from 'vitest';
import { philox } from '../../../../src/core/replay/drawn/philox.js';

// Known answers of the reference implementation (Random123, kat_vectors, philox4x32 with 10 rounds).
it.each([
  ['zeros', [0, 0, 0, 0], [0, 0], [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]],
  [
    'ones',
    [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    [0xffffffff, 0xffffffff],
    [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  ],
  [
    'digits of pi',
    [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    [0xa4093822, 0x299f31d0],
    [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  ],
])('gives the known answer for %s', (_, counter, [k0 = 0, k1 = 0], expected) => {
  const block = new Uint32Array(4);
  philox(Uint32Array.from(counter), [k0, k1], block);
  expect([...block]).toEqual(expected);
});
