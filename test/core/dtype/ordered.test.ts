import { describe, expect, it } from 'vitest';
import { decodeToFloat64, encodeFromFloat64, orderedBits } from '../../../src/core/dtype/index.js';

const SMALL = [
  ['float8_e4m3fn', 8],
  ['float8_e5m2', 8],
  ['float8_e4m3fnuz', 8],
  ['float8_e5m2fnuz', 8],
  ['float8_e8m0fnu', 8],
  ['float16', 16],
  ['bfloat16', 16],
] as const;

describe('orderedBits', () => {
  it.each(SMALL)('steps by one from each value of %s to the next', (dtype, bits) => {
    const codes = Array.from({ length: 2 ** bits }, (_, code) => code);
    const bytes = bits === 8 ? Uint8Array.from(codes) : new Uint8Array(Uint16Array.from(codes).buffer);
    const values = decodeToFloat64(dtype, bytes);
    const ordered = orderedBits(dtype, bytes);
    const ranks = new Map<number, number>();
    for (const [index, value] of values.entries()) {
      const rank = ordered[index] ?? 0;
      expect(Number.isNaN(rank)).toBe(Number.isNaN(value));
      // Both zeros are one value.
      if (!Number.isNaN(value)) expect(ranks.get(value + 0) ?? rank).toBe(rank);
      if (!Number.isNaN(value)) ranks.set(value + 0, rank);
    }
    const sorted = [...ranks].sort(([left], [right]) => left - right).map(([, rank]) => rank);
    expect(sorted).toEqual(sorted.map((_, index) => (sorted[0] ?? 0) + index));
  });

  it('orders float32', () => {
    const values = Float64Array.of(
      -0,
      0,
      2 ** -149,
      -(2 ** -149),
      1,
      1 + 2 ** -23,
      Infinity,
      -Infinity,
      Number.NaN,
    );
    const ordered = orderedBits('float32', encodeFromFloat64('float32', values));
    expect([...ordered.subarray(0, 4)]).toEqual([0, 0, 1, -1]);
    expect((ordered[5] ?? 0) - (ordered[4] ?? 0)).toBe(1);
    expect([...ordered.subarray(6)]).toEqual([0x7f800000, -0x7f800000, Number.NaN]);
  });

  it('orders float64 with all bits', () => {
    const values = Float64Array.of(-0, 2 ** -1074, -(2 ** -1074), 1, 1 + 2 ** -52, Infinity, -Infinity);
    const ordered = orderedBits('float64', encodeFromFloat64('float64', values));
    expect([...ordered.subarray(0, 3)]).toEqual([0n, 1n, -1n]);
    expect((ordered[4] ?? 0n) - (ordered[3] ?? 0n)).toBe(1n);
    expect([...ordered.subarray(5)]).toEqual([0x7ff0000000000000n, -0x7ff0000000000000n]);
  });

  it('orders the parts of complex and the halves of packed elements', () => {
    expect(
      orderedBits('complex64', encodeFromFloat64('complex64', Float64Array.of(0, -(2 ** -149)))),
    ).toEqual(Float64Array.of(0, -1));
    expect(orderedBits('complex128', new Uint8Array(16))).toEqual(BigInt64Array.of(0n, 0n));
    expect(orderedBits('float4_e2m1fn_x2', Uint8Array.of(0x80, 0xf7))).toEqual(Float64Array.of(0, 0, 7, -7));
  });

  it.each(['int32', 'bool', 'string', 'uint4'] as const)('refuses %s', (dtype) => {
    expect(() => orderedBits(dtype, new Uint8Array(4))).toThrow(`${dtype} has no distance in ULP`);
  });
});
