import type { JsonValue } from '../model/json.js';
import type { TensorSource } from '../model/tensor.js';
import type { Dump } from '../session/index.js';
import type { ValueEncoder } from '../values/index.js';
import { pairTensors, recordedResult } from './recorded-values.js';

/** A result as it is now, beside the recorded one. */
export interface EncodedResult {
  /** Undefined where none was recorded. */
  expected: JsonValue | undefined;
  actual: JsonValue;
  /** Tensors of the result by the keys of the recorded ones at their places. */
  tensors: ReadonlyMap<string, TensorSource>;
}

export function encodeResult(dump: Dump, value: unknown, encoder: ValueEncoder): EncodedResult {
  const expected = recordedResult(dump);
  const actual = encoder.encode(value, 'result');
  const pairs = expected === undefined ? new Map<string, string>() : pairTensors(expected, actual);
  const tensors = new Map<string, TensorSource>();
  for (const key of dump.keys('outputs')) {
    const source = encoder.tensors.get(pairs.get(key) ?? key);
    if (source !== undefined) tensors.set(key, source);
  }
  return { expected, actual, tensors };
}
