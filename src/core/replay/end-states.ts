import type { JsonValue } from '../model/json.js';
import type { Dump } from '../session/index.js';
import { ownField } from '../session/json-fields.js';
import { argumentKeys } from './recorded-values.js';

const CONTAINER_TYPES = ['list', 'dict', 'js.map', 'js.set'];

/** What an argument must be after the call, and where that is recorded. */
export interface EndState {
  key: string;
  group: 'inputs' | 'mutated';
}

/**
 * The tensors among the arguments whose end the recording knows: as `mutated` has it, else as they went in. Arguments
 * that the call only reads, works in, or that changed while it was pending, are left out, as is every one where nobody
 * looked.
 */
export function endStates(dump: Dump): EndState[] {
  const { fir } = dump.record;
  if (fir?.mutated_tensor_keys === undefined) return [];
  const mutated = new Set(fir.mutated_tensor_keys);
  const pending = new Set(fir.mutated_pending_keys);
  const states: EndState[] = [];
  for (const key of dump.keys('inputs')) {
    const role = fir.roles === undefined ? 'unknown' : (ownField(fir.roles, key) ?? 'unknown');
    const data = ownField(fir.tensors, key)?.data;
    const isAnother = data !== undefined && 'sameAs' in data;
    if (role === 'scratch' || isAnother || pending.has(key)) continue;
    if (mutated.has(key)) states.push({ key, group: 'mutated' });
    else if ((role === 'inout' || role === 'unknown') && data !== undefined)
      states.push({ key, group: 'inputs' });
  }
  return states;
}

/** What a container among the arguments must be after the call, as encoded; `changed`: the recorded call changed it. */
export interface ContainerEndState {
  key: string;
  expected: JsonValue;
  changed: boolean;
}

export function containerEndStates(dump: Dump): ContainerEndState[] {
  const { fir, input_metadata: metadata } = dump.record;
  if (fir?.mutated_tensor_keys === undefined) return [];
  const pending = new Set(fir.mutated_pending_arguments);
  return argumentKeys(dump).positional.flatMap((key): ContainerEndState[] => {
    if (pending.has(key)) return [];
    const role = fir.roles === undefined ? undefined : ownField(fir.roles, key);
    const changed = ownField(fir.mutated_arguments ?? {}, key);
    if (changed !== undefined) return [{ key, expected: changed, changed: true }];
    const expected = ownField(metadata, key);
    return (role === undefined || role === 'unknown' || role === 'inout') && isContainer(expected)
      ? [{ key, expected, changed: false }]
      : [];
  });
}

function isContainer(value: JsonValue | undefined): value is JsonValue {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    CONTAINER_TYPES.includes(String(value['type']))
  );
}
