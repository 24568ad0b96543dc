import type { ComparisonOptions } from '../../compare/index.js';
import { whyNotRebuildable } from '../../flashinfer/index.js';
import type { JsonValue } from '../../model/json.js';
import type { TensorSource } from '../../model/tensor.js';
import type { Dump } from '../../session/index.js';
import { isNode } from '../../values/nodes.js';
import { OutputComparisons } from '../outputs.js';
import { hasPlainValues, pairTensors, recordedResult } from '../recorded-values.js';

/** What a Python call returned. */
export interface PythonResult {
  value: JsonValue;
  tensors: ReadonlyMap<string, TensorSource>;
}

/** Holds what a Python call returned, if anything, against the recording. Nobody looked at its arguments when it was recorded. */
export function compareAnswer(
  dump: Dump,
  result: PythonResult | undefined,
  comparison: ComparisonOptions,
): OutputComparisons {
  const outputs = new OutputComparisons(dump.record.function_name, comparison);
  const expected = expectedResult(dump);
  if (result === undefined || expected === undefined) return outputs;
  if (isWorthTelling(expected)) outputs.addValue('result', result.value, expected);
  else outputs.addValueIfDifferent('result', result.value, expected);
  const pairs = pairTensors(expected, result.value);
  for (const key of dump.keys('outputs')) {
    const source = result.tensors.get(pairs.get(key) ?? key);
    // A structure that differs was told already.
    if (source === undefined && outputs.hasMismatch) continue;
    const actual = source ?? 'no tensor was returned where one was recorded';
    outputs.addTensor(key, actual, dump.tensor('outputs', key));
  }
  return outputs;
}

/** FlashInfer keeps the items of a tuple apart: of an empty one it says nothing at all. */
export function expectedResult(dump: Dump): JsonValue | undefined {
  const { execution_status: status, output_metadata: metadata } = dump.record;
  if (status !== 'completed') return undefined;
  const result = recordedResult(dump, 'tuple');
  const isEmpty =
    result === undefined && Object.keys(metadata).length === 0 && dump.keys('outputs').length === 0;
  return isEmpty ? { type: 'tuple', length: 0, items: [] } : result;
}

/** None is no result, and of an object's description only a fixed text can be compared. */
function isWorthTelling(expected: JsonValue): boolean {
  if (expected === null) return false;
  if (!isNode(expected) || typeof expected['repr'] !== 'string') return hasPlainValues(expected);
  return whyNotRebuildable(String(expected['type']), expected['repr']) === undefined;
}
