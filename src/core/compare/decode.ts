import { decodeToFloat64 } from '../dtype/index.js';
import type { DtypeName } from '../model/dtype.js';

/**
 * The values of `elements` elements as float64, in memory of their own: one per element, two (real, imaginary) for
 * complex, two for packed float4. 64-bit integers are rounded to nearest; the padding of an odd int4 is left out.
 */
export function decodeValues(dtype: DtypeName, bytes: Uint8Array, elements: number): Float64Array {
  const values = decodeToFloat64(dtype, bytes);
  return dtype === 'int4' || dtype === 'uint4' ? values.subarray(0, elements) : values;
}

/** Elements to compare in one element of a shape: 2 for packed float4, whose shapes count bytes, else 1. */
export function packedPerElement(dtype: DtypeName): 1 | 2 {
  return dtype === 'float4_e2m1fn_x2' ? 2 : 1;
}
