import type { OutputComparison } from '../model/verdict.js';
import type { Tensor } from '../tensor/index.js';
import type { ComparisonOptions } from './options.js';
import { reinterpretTensor } from './reinterpret.js';
import { compareTensors } from './tensors.js';
import { dtypeFor, isIgnored, toleranceFor } from './tolerances.js';

/**
 * Compares one tensor that a call gave, by all the options: undefined where `--ignore` leaves it out; else under the
 * tolerance that holds for the function, the key and the dtype, that being what `--as` says where it says something.
 * A dtype or shape that differs from the recording is a mismatch before `--as` is applied.
 *
 * @throws FirError USAGE where `--as` names a dtype that the tensor's bytes can't be.
 */
export function compareOutput(
  functionName: string,
  key: string,
  actual: Tensor,
  expected: Tensor,
  options: ComparisonOptions,
): OutputComparison | undefined {
  if (isIgnored(options, functionName, key)) return undefined;
  const dtype = dtypeFor(options, functionName, key) ?? expected.dtype;
  const tolerance = toleranceFor(options, functionName, key, dtype);
  const isSameKind = actual.dtype === expected.dtype && actual.shape.join() === expected.shape.join();
  if (dtype === expected.dtype || !isSameKind)
    return compareTensors(key, actual, expected, tolerance, options);
  const values = reinterpretTensor(actual, dtype);
  return compareTensors(key, values, reinterpretTensor(expected, dtype), tolerance, options);
}
