import { viewAs } from '../dtype/decode.js';
import { dtypeOf, orderedBits } from '../dtype/index.js';
import type { DtypeName } from '../model/dtype.js';

/**
 * Distance of each pair of real floats in representable values (ULP): the difference of their ordered bit patterns, in
 * which +0 and -0 are one place and neighbours are 1 apart, across zero too. float64 distances above 2^53 are rounded to
 * the nearest float64. Where a side is not finite the entry means nothing. Undefined for dtypes that are not real floats.
 */
export function ulpDistances(
  dtype: DtypeName,
  actual: Uint8Array,
  expected: Uint8Array,
): Float64Array | undefined {
  if (dtypeOf(dtype).kind !== 'float') return undefined;
  if (dtype === 'float64') return doubleDistances(viewAs(Uint32Array, actual), viewAs(Uint32Array, expected));
  if (dtype === 'float32') return singleDistances(viewAs(Int32Array, actual), viewAs(Int32Array, expected));
  const steps = orderedBits(dtype, actual) as Float64Array;
  const places = orderedBits(dtype, expected) as Float64Array;
  for (let i = 0; i < steps.length; i++) steps[i] = Math.abs((steps[i] as number) - (places[i] as number));
  return steps;
}

/** The same as by `orderedBits`, without its detour; float32 is what most tensors are. */
function singleDistances(actual: Int32Array, expected: Int32Array): Float64Array {
  const steps = new Float64Array(actual.length);
  for (let i = 0; i < steps.length; i++) {
    const a = actual[i] as number;
    const e = expected[i] as number;
    const aPlace = a < 0 ? -(a & 0x7fff_ffff) : a;
    const ePlace = e < 0 ? -(e & 0x7fff_ffff) : e;
    steps[i] = Math.abs(aPlace - ePlace);
  }
  return steps;
}

/** float64 as pairs of 32-bit words, low first: the high difference times 2^32 is exact, so only the sum rounds. */
function doubleDistances(actual: Uint32Array, expected: Uint32Array): Float64Array {
  const steps = new Float64Array(actual.length >> 1);
  for (let i = 0; i < steps.length; i++) {
    const aHigh = actual[2 * i + 1] as number;
    const eHigh = expected[2 * i + 1] as number;
    const aSign = aHigh > 0x7fff_ffff ? -1 : 1;
    const eSign = eHigh > 0x7fff_ffff ? -1 : 1;
    const high = aSign * (aHigh & 0x7fff_ffff) - eSign * (eHigh & 0x7fff_ffff);
    const low = aSign * (actual[2 * i] as number) - eSign * (expected[2 * i] as number);
    steps[i] = Math.abs(high * 0x1_0000_0000 + low);
  }
  return steps;
}
