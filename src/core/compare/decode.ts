import { viewAs } from '../dtype/decode.js';
import { decodeToFloat64 } from '../dtype/index.js';
import type { DtypeName } from '../model/dtype.js';

/**
 * The values of `elements` elements as float64, in memory of their own: one per element, two (real, imaginary) for
 * complex, two for packed float4. 64-bit integers are rounded to nearest; the padding of an odd int4 is left out.
 */
export function decodeValues(dtype: DtypeName, bytes: Uint8Array, elements: number): Float64Array {
  switch (dtype) {
    case 'int64':
    case 'uint64':
      return roundIntegers(viewAs(Uint32Array, bytes), dtype === 'int64');
    case 'int4':
    case 'uint4':
      return decodeToFloat64(dtype, bytes).subarray(0, elements);
    default:
      return decodeToFloat64(dtype, bytes);
  }
}

/** Elements to compare in one element of a shape: 2 for packed float4, whose shapes count bytes, else 1. */
export function packedPerElement(dtype: DtypeName): 1 | 2 {
  return dtype === 'float4_e2m1fn_x2' ? 2 : 1;
}

/** 64-bit integers as pairs of words, low first: high * 2^32 is exact, so only the sum rounds. Much quicker than bigints. */
function roundIntegers(words: Uint32Array, isSigned: boolean): Float64Array {
  const values = new Float64Array(words.length >> 1);
  for (let i = 0; i < values.length; i++) {
    const high = words[2 * i + 1] as number;
    values[i] = (isSigned ? high | 0 : high) * 0x1_0000_0000 + (words[2 * i] as number);
  }
  return values;
}
