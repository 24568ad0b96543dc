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
  /** Code that NaN is written as; undefined where the format has none, which then writes zero. */
  nan: number | undefined;
  /** Code, without sign, of what is too large, infinity included: infinity, NaN, or the largest finite value. */
  overflow: number;
  /** `fnuz`: the code of -0 is the only NaN, and zero has no sign. */
  unsignedZero: boolean;
}

/** The signed formats; e8m0, which has neither sign nor mantissa, has functions of its own. */
export const SMALL_FLOATS = {
  float16: {
    exponentBits: 5,
    mantissaBits: 10,
    bias: 15,
    maxFinite: 0x7bff,
    infinity: 0x7c00,
    nan: 0x7e00,
    overflow: 0x7c00,
    unsignedZero: false,
  },
  bfloat16: {
    exponentBits: 8,
    mantissaBits: 7,
    bias: 127,
    maxFinite: 0x7f7f,
    infinity: 0x7f80,
    nan: 0x7fc0,
    overflow: 0x7f80,
    unsignedZero: false,
  },
  // Saturates, as torch has it now; its first versions with this dtype wrote NaN instead.
  float8_e4m3fn: {
    exponentBits: 4,
    mantissaBits: 3,
    bias: 7,
    maxFinite: 0x7e,
    infinity: undefined,
    nan: 0x7f,
    overflow: 0x7e,
    unsignedZero: false,
  },
  float8_e5m2: {
    exponentBits: 5,
    mantissaBits: 2,
    bias: 15,
    maxFinite: 0x7b,
    infinity: 0x7c,
    nan: 0x7f,
    overflow: 0x7c,
    unsignedZero: false,
  },
  float8_e4m3fnuz: {
    exponentBits: 4,
    mantissaBits: 3,
    bias: 8,
    maxFinite: 0x7f,
    infinity: undefined,
    nan: 0x80,
    overflow: 0x80,
    unsignedZero: true,
  },
  float8_e5m2fnuz: {
    exponentBits: 5,
    mantissaBits: 2,
    bias: 16,
    maxFinite: 0x7f,
    infinity: undefined,
    nan: 0x80,
    overflow: 0x80,
    unsignedZero: true,
  },
  float4_e2m1fn_x2: {
    exponentBits: 2,
    mantissaBits: 1,
    bias: 1,
    maxFinite: 0x7,
    infinity: undefined,
    nan: undefined,
    overflow: 0x7,
    unsignedZero: false,
  },
} as const satisfies Record<string, SmallFloat>;

export type SmallFloatName = keyof typeof SMALL_FLOATS;

/** The value of one code, exactly. */
export function valueOfCode(code: number, float: SmallFloat): number {
  const signBit = 1 << (float.exponentBits + float.mantissaBits);
  const magnitude = code & (signBit - 1);
  const sign = code & signBit ? -1 : 1;
  if (float.unsignedZero && code === signBit) return Number.NaN;
  if (magnitude > float.maxFinite) {
    return magnitude === float.infinity ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  }
  const exponent = magnitude >> float.mantissaBits;
  const mantissa = magnitude & ((1 << float.mantissaBits) - 1);
  const scaled = exponent === 0 ? mantissa : mantissa + (1 << float.mantissaBits);
  return sign * scaled * 2 ** (Math.max(exponent, 1) - float.bias - float.mantissaBits);
}

const word = new Uint32Array(1);
const single = new Float32Array(word.buffer);
const INFINITY_BITS = 0x7f800000;
const ROUNDS_TO_INTEGER = 2 ** 52;

/**
 * The code nearest to a value, ties to even, as torch's casts have it: a value is rounded to float32 first, and what then
 * is past the largest finite value becomes the format's `overflow`.
 */
export function codeOfValue(value: number, float: SmallFloat): number {
  single[0] = value;
  const bits = word[0] ?? 0;
  const sign = bits >>> 31 ? 1 << (float.exponentBits + float.mantissaBits) : 0;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > INFINITY_BITS) return withSign(float.nan ?? 0, sign, float);
  const code = magnitude === INFINITY_BITS ? float.overflow : roundMagnitude(magnitude, float);
  return withSign(code > float.maxFinite ? float.overflow : code, sign, float);
}

/** Neither NaN nor zero has a sign in the `fnuz` formats. */
function withSign(code: number, sign: number, float: SmallFloat): number {
  return float.unsignedZero && (code === 0 || code === float.nan) ? code : code | sign;
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
