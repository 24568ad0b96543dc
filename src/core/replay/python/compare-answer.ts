import type { ComparisonOptions } from '../../compare/index.js';
import { objectFromRepr, restoreContainers, whyNotRebuildable } from '../../flashinfer/index.js';
import type { JsonValue } from '../../model/json.js';
import type { TensorSource } from '../../model/tensor.js';
import type { Dump } from '../../session/index.js';
import { visitNodes } from '../../values/nodes.js';
import { OutputComparisons } from '../outputs.js';
import { hasPlainValues, pairTensors, recordedResult } from '../recorded-values.js';
import { placeDevices } from './device-arguments.js';
import type { DeviceMap } from './device-map.js';

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
  devices: DeviceMap,
): OutputComparisons {
  const outputs = new OutputComparisons(dump.record.function_name, comparison);
  const whole = expectedResult(dump);
  if (result === undefined || whole === undefined) return outputs;
  const expected = placeDevices(whole, devices);
  if (isWorthTelling(expected)) outputs.addValue('result', result.value, expected);
  else outputs.addValueIfDifferent('result', result.value, expected);
  const pairs = pairTensors(expected, result.value);
  for (const key of dump.keys('outputs')) {
    const recorded = dump.tensor('outputs', key);
    // Of a kind that is not read nothing can be compared, whatever was returned.
    recorded.fileRange();
    const source = result.tensors.get(pairs.get(key) ?? key);
    // A structure that differs was told already.
    if (source === undefined && outputs.hasMismatch) continue;
    const actual = source ?? 'no tensor was returned where one was recorded';
    outputs.addTensor(key, actual, recorded);
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
  if (isEmpty) return { type: 'tuple', length: 0, items: [] };
  return result === undefined ? undefined : restoreContainers(result);
}

/** None is no result, and of an object's description only a fixed text can be compared. */
function isWorthTelling(expected: JsonValue): boolean {
  if (expected === null) return false;
  if (hasPlainValues(expected)) return true;
  let hasText = false;
  visitNodes(expected, ({ type, repr }) => {
    hasText ||= typeof repr === 'string' && isText(String(type), repr);
  });
  return hasText;
}

/** Whether a text holds all of a value: that of an object is its class and where it was. */
function isText(type: string, repr: string): boolean {
  return objectFromRepr(repr) === undefined && whyNotRebuildable(type, repr) === undefined;
}
