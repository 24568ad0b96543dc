import { FirError } from '../errors.js';
import type { DtypeName } from '../model/dtype.js';
import { assertWholeElements, viewAs } from './decode.js';
import { SMALL_FLOATS, type SmallFloat } from './small-floats.js';

/**
 * Each float element as an integer that grows with its value and steps by one from one representable value to the
 * next, so that the difference of two is their distance in ULP. Both zeros are 0; infinity follows the largest finite
 * value. NaN elements are NaN, except for float64 and complex128, where they lie past infinity. Complex elements give two
 * integers, packed ones two a byte. Throws TENSOR_UNSUPPORTED for dtypes that are not floats.
 */
export function orderedBits(dtype: 'float64' | 'complex128', bytes: Uint8Array): BigInt64Array;
export function orderedBits(
  dtype: Exclude<DtypeName, 'float64' | 'complex128'>,
  bytes: Uint8Array,
): Float64Array;
export function orderedBits(dtype: DtypeName, bytes: Uint8Array): Float64Array | BigInt64Array;
export function orderedBits(dtype: DtypeName, bytes: Uint8Array): Float64Array | BigInt64Array {
  assertWholeElements(dtype, bytes);
  switch (dtype) {
    case 'float32':
    case 'complex64':
      return orderSingles(viewAs(Uint32Array, bytes));
    case 'float64':
    case 'complex128':
      return orderDoubles(viewAs(BigInt64Array, bytes));
    case 'float16':
    case 'bfloat16':
      return orderSmall(viewAs(Uint16Array, bytes), SMALL_FLOATS[dtype]);
    case 'float8_e4m3fn':
    case 'float8_e5m2':
    case 'float8_e4m3fnuz':
    case 'float8_e5m2fnuz':
      return orderSmall(bytes, SMALL_FLOATS[dtype]);
    case 'float8_e8m0fnu':
      return orderE8m0(bytes);
    case 'float4_e2m1fn_x2':
      return orderPacked(bytes);
    default:
      throw new FirError('TENSOR_UNSUPPORTED', `${dtype} has no distance in ULP: it is not a float`);
  }
}

function orderSingles(words: Uint32Array): Float64Array {
  const ordered = new Float64Array(words.length);
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? 0;
    const magnitude = word & 0x7fffffff;
    ordered[index] = magnitude > 0x7f800000 ? Number.NaN : word >>> 31 ? 0 - magnitude : magnitude;
  }
  return ordered;
}

function orderDoubles(words: BigInt64Array): BigInt64Array {
  const magnitudeMask = 0x7fff_ffff_ffff_ffffn;
  return words.map((word) => (word < 0n ? -(word & magnitudeMask) : word));
}

function orderSmall(codes: Uint8Array | Uint16Array, float: SmallFloat): Float64Array {
  const signBit = 1 << (float.exponentBits + float.mantissaBits);
  const highest = float.infinity ?? float.maxFinite;
  const ordered = new Float64Array(codes.length);
  for (let index = 0; index < codes.length; index++) {
    const code = codes[index] ?? 0;
    const magnitude = code & (signBit - 1);
    const isUnordered = magnitude > highest || (float.unsignedZero && code === signBit);
    ordered[index] = isUnordered ? Number.NaN : code & signBit ? 0 - magnitude : magnitude;
  }
  return ordered;
}

function orderE8m0(codes: Uint8Array): Float64Array {
  const ordered = new Float64Array(codes);
  for (let index = 0; index < codes.length; index++) if (codes[index] === 0xff) ordered[index] = Number.NaN;
  return ordered;
}

function orderPacked(bytes: Uint8Array): Float64Array {
  const ordered = new Float64Array(bytes.length * 2);
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index] ?? 0;
    ordered[2 * index] = byte & 0x8 ? 0 - (byte & 0x7) : byte & 0x7;
    ordered[2 * index + 1] = byte & 0x80 ? 0 - ((byte >> 4) & 0x7) : byte >> 4;
  }
  return ordered;
}
