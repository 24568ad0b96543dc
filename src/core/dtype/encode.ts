import { FirError } from '../errors.js';
import type { DtypeName } from '../model/dtype.js';
import { codeOfValue, e8m0OfValue, SMALL_FLOATS, type SmallFloat } from './small-floats.js';

/**
 * Contiguous little-endian bytes of the nearest elements. Floats round to nearest, ties to even, as torch's casts do
 * (formats under 32 bits by way of float32). Integers are cut towards zero and wrap; NaN and infinities are 0 there.
 * Booleans are whether a value is not 0. Complex elements take two values each, packed 4-bit ones two a byte.
 * Throws TENSOR_UNSUPPORTED for strings.
 */
export function encodeFromFloat64(dtype: DtypeName, values: Float64Array): Uint8Array {
  switch (dtype) {
    case 'bool':
      return encodeEach(values, new Uint8Array(values.length), (value) => (value === 0 ? 0 : 1));
    case 'uint8':
      return bytesOf(new Uint8Array(values));
    case 'int8':
      return bytesOf(new Int8Array(values));
    case 'uint16':
      return bytesOf(new Uint16Array(values));
    case 'int16':
      return bytesOf(new Int16Array(values));
    case 'uint32':
      return bytesOf(new Uint32Array(values));
    case 'int32':
      return bytesOf(new Int32Array(values));
    case 'uint64':
    case 'int64':
      return bytesOf(wrapToInt64(values));
    case 'float32':
    case 'complex64':
      return bytesOf(new Float32Array(values));
    case 'float64':
    case 'complex128':
      return bytesOf(new Float64Array(values));
    case 'float16':
    case 'bfloat16':
      return bytesOf(encodeEach(values, new Uint16Array(values.length), encoderOf(SMALL_FLOATS[dtype])));
    case 'float8_e8m0fnu':
      return encodeEach(values, new Uint8Array(values.length), e8m0OfValue);
    case 'float8_e4m3fn':
    case 'float8_e5m2':
    case 'float8_e4m3fnuz':
    case 'float8_e5m2fnuz':
      return encodeEach(values, new Uint8Array(values.length), encoderOf(SMALL_FLOATS[dtype]));
    case 'float4_e2m1fn_x2':
      return pack(values, encoderOf(SMALL_FLOATS[dtype]));
    case 'int4':
    case 'uint4':
      return pack(values, (value) => value & 0xf);
    case 'string':
      throw new FirError('TENSOR_UNSUPPORTED', 'numbers can not be encoded as strings');
  }
}

function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

function encodeEach<Codes extends Uint8Array | Uint16Array>(
  values: Float64Array,
  codes: Codes,
  codeOf: (value: number) => number,
): Codes {
  for (let index = 0; index < values.length; index++) codes[index] = codeOf(values[index] ?? 0);
  return codes;
}

function encoderOf(float: SmallFloat): (value: number) => number {
  return (value) => codeOfValue(value, float);
}

function wrapToInt64(values: Float64Array): BigInt64Array {
  const words = new BigInt64Array(values.length);
  for (let index = 0; index < values.length; index++) {
    const value = values[index] ?? 0;
    if (Number.isFinite(value)) words[index] = BigInt(Math.trunc(value));
  }
  return words;
}

/** An odd count leaves the last high half 0. */
function pack(values: Float64Array, codeOf: (value: number) => number): Uint8Array {
  const packed = new Uint8Array(Math.ceil(values.length / 2));
  for (let index = 0; index < packed.length; index++) {
    packed[index] = codeOf(values[2 * index] ?? 0) | (codeOf(values[2 * index + 1] ?? 0) << 4);
  }
  return packed;
}
