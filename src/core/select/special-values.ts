import { setImmediate } from 'node:timers/promises';
import { decodeToFloat64, dtypeOf, viewAs } from '../dtype/index.js';
import type { DtypeName } from '../model/dtype.js';
import type { StoredTensor } from '../session/index.js';

/** Which of the values that are no finite numbers are looked for, and were not found yet. */
export interface WantedValues {
  nan: boolean;
  inf: boolean;
}

/**
 * Looks for NaN and infinities in a tensor's values and unmarks what it finds; reads no further than it must, and
 * between two pieces lets others run. The errors of reading the values.
 */
export async function findSpecialValues(tensor: StoredTensor, wanted: WantedValues): Promise<void> {
  const { kind } = dtypeOf(tensor.dtype);
  if (kind !== 'float' && kind !== 'complex') return;
  for (const chunk of tensor.chunks()) {
    lookThrough(valuesOf(tensor.dtype, chunk), wanted);
    if (!wanted.nan && !wanted.inf) return;
    await setImmediate();
  }
}

function lookThrough(values: Float32Array | Float64Array, wanted: WantedValues): void {
  for (let index = 0; index < values.length; index++) {
    const value = values[index] ?? 0;
    // Of finite numbers alone this is zero.
    if (value - value === 0) continue;
    if (Number.isNaN(value)) wanted.nan = false;
    else wanted.inf = false;
    if (!wanted.nan && !wanted.inf) return;
  }
}

/** As `decodeToFloat64`, without a copy where the values are floats of JavaScript's own. */
function valuesOf(dtype: DtypeName, bytes: Uint8Array): Float32Array | Float64Array {
  if (dtype === 'float32' || dtype === 'complex64') return viewAs(Float32Array, bytes);
  return dtype === 'float64' || dtype === 'complex128'
    ? viewAs(Float64Array, bytes)
    : decodeToFloat64(dtype, bytes);
}
