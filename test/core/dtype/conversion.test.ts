import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DTYPES, decodeToBigInt, decodeToFloat64, encodeFromFloat64 } from '../../../src/core/dtype/index.js';
import type { DtypeName } from '../../../src/core/model/dtype.js';

const EIGHT_BIT = [
  'float8_e4m3fn',
  'float8_e5m2',
  'float8_e4m3fnuz',
  'float8_e5m2fnuz',
  'float8_e8m0fnu',
] as const;
const NUMERIC = [...DTYPES.keys()].filter((name) => name !== 'string');

/** All codes of a format of 8 or 16 bits, in order. */
function everyCode(bits: 8 | 16): Uint8Array {
  const codes = Array.from({ length: 2 ** bits }, (_, code) => code);
  return bits === 8 ? Uint8Array.from(codes) : new Uint8Array(Uint16Array.from(codes).buffer);
}

function decode(dtype: DtypeName, ...bytes: number[]): number[] {
  return [...decodeToFloat64(dtype, Uint8Array.from(bytes))];
}

function encode(dtype: DtypeName, ...values: number[]): number[] {
  return [...encodeFromFloat64(dtype, Float64Array.from(values))];
}

/** Codes that decode to NaN. */
function nanCodes(dtype: DtypeName): number[] {
  return [...decodeToFloat64(dtype, everyCode(8)).entries()].flatMap(([code, value]) =>
    Number.isNaN(value) ? [code] : [],
  );
}

describe('decoding', () => {
  it.each([
    [
      'float8_e4m3fn',
      [0x01, 0x07, 0x08, 0x38, 0x39, 0x7e, 0x80, 0xfe],
      [2 ** -9, 7 * 2 ** -9, 2 ** -6, 1, 1.125, 448, -0, -448],
    ],
    [
      'float8_e5m2',
      [0x01, 0x03, 0x04, 0x3c, 0x3d, 0x7b, 0x7c, 0xfc, 0x80],
      [2 ** -16, 3 * 2 ** -16, 2 ** -14, 1, 1.25, 57344, Infinity, -Infinity, -0],
    ],
    [
      'float8_e4m3fnuz',
      [0x00, 0x01, 0x07, 0x08, 0x40, 0x7f, 0xff],
      [0, 2 ** -10, 7 * 2 ** -10, 2 ** -7, 1, 240, -240],
    ],
    [
      'float8_e5m2fnuz',
      [0x00, 0x01, 0x03, 0x04, 0x40, 0x7f, 0xff],
      [0, 2 ** -17, 3 * 2 ** -17, 2 ** -15, 1, 57344, -57344],
    ],
    ['float8_e8m0fnu', [0x00, 0x7e, 0x7f, 0x80, 0xfe], [2 ** -127, 0.5, 1, 2, 2 ** 127]],
    [
      'float4_e2m1fn_x2',
      [0x10, 0x32, 0x54, 0x76, 0x98, 0xfe],
      [0, 0.5, 1, 1.5, 2, 3, 4, 6, -0, -0.5, -4, -6],
    ],
    [
      'float16',
      [0x01, 0, 0xff, 0x03, 0, 0x04, 0, 0x3c, 0xff, 0x7b, 0, 0xfc, 0, 0x80],
      [2 ** -24, 1023 * 2 ** -24, 2 ** -14, 1, 65504, -Infinity, -0],
    ],
    [
      'bfloat16',
      [0x01, 0, 0x80, 0, 0x80, 0x3f, 0x7f, 0x7f, 0x80, 0xff, 0, 0x80],
      [2 ** -133, 2 ** -126, 1, 255 * 2 ** 120, -Infinity, -0],
    ],
    ['bool', [0, 1, 255], [0, 1, 1]],
    ['int4', [0x70, 0xf8], [0, 7, -8, -1]],
    ['uint4', [0x70, 0xf8], [0, 7, 8, 15]],
    ['int8', [0x80, 0x7f], [-128, 127]],
    ['uint16', [0xff, 0xff], [65535]],
    ['int16', [0, 0x80], [-32768]],
    ['uint32', [0xff, 0xff, 0xff, 0xff], [4294967295]],
    ['int32', [0, 0, 0, 0x80], [-2147483648]],
    ['complex64', [0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0], [1, -2]],
  ] as const)('%s', (dtype, bytes, values) => {
    expect(decode(dtype, ...bytes)).toEqual([...values]);
  });

  it('has exactly the NaN of each 8-bit format', () => {
    expect(nanCodes('float8_e4m3fn')).toEqual([0x7f, 0xff]);
    expect(nanCodes('float8_e5m2')).toEqual([0x7d, 0x7e, 0x7f, 0xfd, 0xfe, 0xff]);
    expect(nanCodes('float8_e4m3fnuz')).toEqual([0x80]);
    expect(nanCodes('float8_e5m2fnuz')).toEqual([0x80]);
    expect(nanCodes('float8_e8m0fnu')).toEqual([0xff]);
  });

  it('keeps every digit of 64-bit integers', () => {
    const bytes = new Uint8Array(BigInt64Array.of(1n, 9007199254740993n, -(2n ** 63n)).buffer);
    expect([...decodeToBigInt('int64', bytes)]).toEqual([1n, 9007199254740993n, -(2n ** 63n)]);
    expect(decodeToBigInt('uint64', bytes)[2]).toBe(2n ** 63n);
    expect(decodeToFloat64('int64', bytes)[1]).toBe(9007199254740992);
  });

  it('reads bytes that stand at an odd place in memory', () => {
    for (const dtype of NUMERIC) {
      const bytes = Uint8Array.from({ length: 48 }, (_, index) => (index * 37) % 120);
      const moved = new Uint8Array(49);
      moved.set(bytes, 1);
      expect(decodeToFloat64(dtype, moved.subarray(1)), dtype).toEqual(decodeToFloat64(dtype, bytes));
    }
  });

  it('refuses half an element and strings', () => {
    expect(() => decodeToFloat64('float32', new Uint8Array(6))).toThrow(
      '6 bytes are not whole elements of float32',
    );
    expect(() => decodeToBigInt('int64', new Uint8Array(4))).toThrow(
      '4 bytes are not whole elements of int64',
    );
    expect(() => decodeToFloat64('string', new Uint8Array(4))).toThrow('strings have no numeric value');
  });
});

describe('encoding', () => {
  it.each(EIGHT_BIT)('gives back every code of %s', (dtype) => {
    const codes = everyCode(8);
    const values = decodeToFloat64(dtype, codes);
    const again = encodeFromFloat64(dtype, values);
    for (const [code, value] of values.entries()) {
      if (!Number.isNaN(value)) expect(again[code]).toBe(code);
    }
    expect(decodeToFloat64(dtype, again)).toEqual(values);
  });

  it.each(['float16', 'bfloat16'] as const)('gives back every code of %s', (dtype) => {
    const values = decodeToFloat64(dtype, everyCode(16));
    expect(decodeToFloat64(dtype, encodeFromFloat64(dtype, values))).toEqual(values);
  });

  it.each([
    ['float8_e4m3fn', 8],
    ['float8_e5m2', 8],
    ['float8_e4m3fnuz', 8],
    ['float8_e5m2fnuz', 8],
    ['float16', 16],
    ['bfloat16', 16],
  ] as const)('rounds to the nearest of %s, ties to even', (dtype, bits) => {
    const values = decodeToFloat64(dtype, everyCode(bits));
    // Below 2^-126 a neighbour of a tie would be rounded to the tie on its way through float32.
    const isTried = (value = 0) => value > 2 ** -126 && Number.isFinite(value);
    for (let code = 0; code < values.length - 1; code += bits === 8 ? 1 : 97) {
      const [low = 0, high = 0] = values.subarray(code, code + 2);
      if (!isTried(low) || !isTried(high)) continue;
      const middle = (low + high) / 2;
      const near = Float64Array.of(middle, middle * (1 - 2 ** -20), middle * (1 + 2 ** -20));
      const even = code % 2 === 0 ? low : high;
      expect([...decodeToFloat64(dtype, encodeFromFloat64(dtype, near))]).toEqual([even, low, high]);
    }
  });

  it('rounds to the nearest power of two for e8m0, ties up', () => {
    const values = Float64Array.of(1.4999, 1.5, 1.5001, 2.9999, 3, 6.1, 2 ** -126 * 1.5, 2 ** -127, 1e-45);
    const powers = decodeToFloat64('float8_e8m0fnu', encodeFromFloat64('float8_e8m0fnu', values));
    expect([...powers]).toEqual([1, 2, 2, 2, 4, 8, 2 ** -125, 2 ** -127, 2 ** -127]);
  });

  it('has the rule of each format for what is too large', () => {
    expect(encode('float8_e4m3fn', 1e9, -Infinity, 464, 465)).toEqual([0x7e, 0xfe, 0x7e, 0x7e]);
    expect(encode('float8_e5m2', 1e9, -Infinity, 61439, 61440)).toEqual([0x7c, 0xfc, 0x7b, 0x7c]);
    expect(encode('float8_e4m3fnuz', 1e9, -Infinity, 247, 248)).toEqual([0x80, 0x80, 0x7f, 0x80]);
    expect(encode('float8_e5m2fnuz', 1e9, -Infinity, -1e-9)).toEqual([0x80, 0x80, 0]);
    expect(encode('float8_e8m0fnu', Infinity, 0, -2, 3e38)).toEqual([0xff, 0, 0x80, 0xff]);
    expect(encode('float4_e2m1fn_x2', 100, -Infinity, 5, 2.5)).toEqual([0xf7, 0x46]);
    expect(encode('float16', 65519, 65520)).toEqual([0xff, 0x7b, 0, 0x7c]);
  });

  it('keeps NaN where the format has one', () => {
    for (const dtype of [...EIGHT_BIT, 'float16', 'bfloat16', 'float32', 'float64'] as const) {
      expect(decodeToFloat64(dtype, encodeFromFloat64(dtype, Float64Array.of(Number.NaN)))).toEqual(
        Float64Array.of(Number.NaN),
      );
    }
    expect(encode('float4_e2m1fn_x2', Number.NaN, 1)).toEqual([0x20]);
    expect(encode('bool', Number.NaN, 0, -0, 0.5)).toEqual([1, 0, 0, 1]);
  });

  it('cuts integers towards zero and wraps them', () => {
    expect(encode('int8', 1.9, -1.9, 300, Number.NaN, Infinity)).toEqual([1, 255, 44, 0, 0]);
    expect(encode('int4', -1, 7, 8)).toEqual([0x7f, 0x08]);
    const words = encodeFromFloat64('int64', Float64Array.of(-1.5, 2 ** 53, 2 ** 64 + 2 ** 13, Number.NaN));
    expect([...decodeToBigInt('int64', words)]).toEqual([-1n, 2n ** 53n, 8192n, 0n]);
  });

  it('rounds as doubles are rounded to float32', () => {
    fc.assert(
      fc.property(fc.float64Array(), (values) => {
        expect(decodeToFloat64('float32', encodeFromFloat64('float32', values))).toEqual(
          values.map(Math.fround),
        );
        expect(decodeToFloat64('float64', encodeFromFloat64('float64', values))).toEqual(values);
      }),
    );
  });

  it('gives back any bytes of integers, booleans of 0 and 1, and packed values', () => {
    const dtypes = [
      'uint8',
      'int8',
      'uint16',
      'int16',
      'uint32',
      'int32',
      'int4',
      'uint4',
      'float4_e2m1fn_x2',
    ] as const;
    fc.assert(
      fc.property(
        fc.constantFrom(...dtypes),
        fc.uint8Array({ minLength: 16, maxLength: 16 }),
        (dtype, bytes) => {
          expect(encodeFromFloat64(dtype, decodeToFloat64(dtype, bytes))).toEqual(bytes);
        },
      ),
    );
  });
});
