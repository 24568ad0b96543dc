/**
 * Floating-point formats of 16 bits and less, as data: IEEE 754 binary16, bfloat16, the OCP 8-bit formats
 * (OFP8 and its `fnuz` variants), OCP MX e8m0 scales and e2m1 elements.
 */
export interface SmallFloat {
  exponentBits: number;
  mantissaBits: number;
  bias: number;
  /** Code of the largest finite value, without sign. */
  maxFinite: number;
  /** Code of infinity, without sign; undefined where the format has none. */
  infinity: number | undefined;
  /** Code that NaN is written as; undefined where the format has none. */
  nan: number | undefined;
  /** `fnuz`: the code of -0 is the only NaN, and zero has no sign. */
  unsignedZero: boolean;
}

const FLOAT16: SmallFloat = format(5, 10, 15, 0x7bff, 0x7c00, 0x7e00);
const BFLOAT16: SmallFloat = format(8, 7, 127, 0x7f7f, 0x7f80, 0x7fc0);
const E4M3FN: SmallFloat = format(4, 3, 7, 0x7e, undefined, 0x7f);
const E5M2: SmallFloat = format(5, 2, 15, 0x7b, 0x7c, 0x7f);
const E4M3FNUZ: SmallFloat = { ...format(4, 3, 8, 0x7f, undefined, 0x80), unsignedZero: true };
const E5M2FNUZ: SmallFloat = { ...format(5, 2, 16, 0x7f, undefined, 0x80), unsignedZero: true };
const E2M1: SmallFloat = format(2, 1, 1, 0x7, undefined, undefined);

/** The signed formats; e8m0, which has neither sign nor mantissa, has functions of its own. */
export const SMALL_FLOATS = {
  float16: FLOAT16,
  bfloat16: BFLOAT16,
  float8_e4m3fn: E4M3FN,
  float8_e5m2: E5M2,
  float8_e4m3fnuz: E4M3FNUZ,
  float8_e5m2fnuz: E5M2FNUZ,
  float4_e2m1fn_x2: E2M1,
} as const;

export type SmallFloatName = keyof typeof SMALL_FLOATS;

function format(
  exponentBits: number,
  mantissaBits: number,
  bias: number,
  maxFinite: number,
  infinity: number | undefined,
  nan: number | undefined,
): SmallFloat {
  return { exponentBits, mantissaBits, bias, maxFinite, infinity, nan, unsignedZero: false };
}

/** The value of one code, exactly. */
export function valueOfCode(code: number, float: SmallFloat): number {
  const signBit = 1 << (float.exponentBits + float.mantissaBits);
  const magnitude = code & (signBit - 1);
  const sign = code & signBit ? -1 : 1;
  if (float.unsignedZero && code === signBit) return Number.NaN;
  if (magnitude > float.maxFinite)
    return magnitude === float.infinity ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  const exponent = magnitude >> float.mantissaBits;
  const mantissa = magnitude & ((1 << float.mantissaBits) - 1);
  const scaled = exponent === 0 ? mantissa : mantissa + (1 << float.mantissaBits);
  return sign * scaled * 2 ** (Math.max(exponent, 1) - float.bias - float.mantissaBits);
}

const word = new Uint32Array(1);
const single = new Float32Array(word.buffer);
const ROUNDS_TO_INTEGER = 2 ** 52;

/**
 * The code nearest to a value, ties to even. As in torch, a value is rounded to float32 first; one past the largest
 * finite value becomes infinity, else NaN, else (e2m1, which has neither) the largest finite value.
 */
export function codeOfValue(value: number, float: SmallFloat): number {
  single[0] = value;
  const bits = word[0] ?? 0;
  const signBit = bits >>> 31 ? 1 << (float.exponentBits + float.mantissaBits) : 0;
  const magnitudeBits = bits & 0x7fffffff;
  if (magnitudeBits > 0x7f800000) return nanCode(signBit, float);
  const code = magnitudeBits === 0x7f800000 ? float.maxFinite + 1 : roundMagnitude(magnitudeBits, float);
  if (code > float.maxFinite) {
    if (float.infinity !== undefined) return signBit | float.infinity;
    return float.nan === undefined ? signBit | float.maxFinite : nanCode(signBit, float);
  }
  return code === 0 && float.unsignedZero ? 0 : signBit | code;
}

function roundMagnitude(bits: number, float: SmallFloat): number {
  const { mantissaBits, bias } = float;
  if (bits >>> 23 < 128 - bias) {
    word[0] = bits;
    const steps = (single[0] ?? 0) * 2 ** (bias - 1 + mantissaBits);
    return steps + ROUNDS_TO_INTEGER - ROUNDS_TO_INTEGER;
  }
  const dropped = 23 - mantissaBits;
  const rounded = bits + (1 << (dropped - 1)) - 1 + ((bits >>> dropped) & 1);
  return (rounded >>> dropped) - ((127 - bias) << mantissaBits);
}

function nanCode(signBit: number, float: SmallFloat): number {
  if (float.nan === undefined) return signBit;
  return float.unsignedZero ? float.nan : signBit | float.nan;
}

/** The value of an e8m0 code: 2^(code - 127), and NaN for 255. */
export function valueOfE8m0(code: number): number {
  return code === 0xff ? Number.NaN : 2 ** (code - 127);
}

/** The e8m0 code nearest to a value, as torch rounds: the sign is dropped, zero is the lowest code, infinity is NaN. */
export function e8m0OfValue(value: number): number {
  single[0] = value;
  const bits = word[0] ?? 0;
  const exponent = (bits >>> 23) & 0xff;
  if (exponent === 0xff) return 0xff;
  const mantissa = bits & 0x7fffff;
  const isTie = mantissa === 0x400000;
  const roundsUp = isTie ? exponent > 0 : mantissa > 0x400000;
  return roundsUp ? exponent + 1 : exponent;
}
