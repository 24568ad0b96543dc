import type { CallRecord, Resolution } from '../model/call.js';
import type { JsonObject, JsonValue } from '../model/json.js';
import type { CallEntry } from '../session/index.js';
import type { InspectTensor } from './types.js';

/** Why a call can't be replayed, as far as its record and its files tell; nothing where it can. */
export function replayReasons(
  call: CallEntry,
  record: CallRecord,
  resolution: Resolution | undefined,
  inputs: readonly InspectTensor[],
): string[] {
  const reasons = [...(record.fir?.not_replayable ?? [])];
  if (record.fir === undefined) {
    reasons.push('it was recorded in Python, and this version replays JavaScript only');
  } else if (resolution === undefined) {
    reasons.push('nothing recorded says how to find its function again');
  } else if (resolution.kind === 'unresolved') {
    reasons.push(
      resolution.hint === undefined ? resolution.reason : `${resolution.reason} (${resolution.hint})`,
    );
  }
  if (call.status === 'graph_capture_pending_flush')
    reasons.push('its CUDA graph was never run, so no tensor was saved');
  if (record.fir?.truncated === true) reasons.push('its arguments were too large to be recorded whole');
  if (call.selfId !== undefined && call.generation === 0) {
    reasons.push(`the constructor of its object (self_id ${call.selfId}) is not in the session`);
  }
  for (const { key, error } of inputs) if (error !== undefined) reasons.push(`input ${key}: ${error}`);
  if (record.fir === undefined) reasons.push(...foreignReasons(record, call));
  return [...new Set(reasons)];
}

/** FlashInfer marks nothing: a value that it only describes, or a container that it cut, stands among the others. */
function foreignReasons(record: CallRecord, call: CallEntry): string[] {
  const reasons: string[] = [];
  for (const [argument, value] of Object.entries(record.input_metadata)) {
    // The object itself is known by its id.
    if (argument === 'arg_0' && call.selfId !== undefined) continue;
    for (const node of nodesIn(value)) {
      const type = typeof node['type'] === 'string' ? node['type'] : 'value';
      if (node['repr'] !== undefined) reasons.push(`${argument}: a ${type} is only described, not recorded`);
      else if (node['truncated'] === true)
        reasons.push(`${argument}: a ${type} was cut short by the recorder`);
    }
  }
  return reasons;
}

/** Every object in a value, without recursion: nesting may be deep. */
function* nodesIn(value: JsonValue): Generator<JsonObject> {
  const open: JsonValue[] = [value];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next !== 'object' || next === null) continue;
    if (!Array.isArray(next)) yield next;
    for (const entry of Object.values(next)) open.push(entry);
  }
}
