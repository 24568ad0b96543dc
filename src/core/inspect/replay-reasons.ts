import type { CallRecord, Resolution } from '../model/call.js';
import { type CallEntry, lostStateOf } from '../session/index.js';
import type { ConstructedObjects } from './python-objects.js';
import { pythonReasons } from './python-reasons.js';
import type { InspectTensor } from './types.js';

/** Why a call can't be replayed, as far as its record and its files tell; nothing where it can. */
export function replayReasons(
  call: CallEntry,
  record: CallRecord,
  resolution: Resolution | undefined,
  inputs: readonly InspectTensor[],
  constructed: ConstructedObjects,
): string[] {
  const reasons = [...(record.fir?.not_replayable ?? [])];
  if (record.fir !== undefined && resolution === undefined) {
    reasons.push('nothing recorded says how to find its function again');
  } else if (resolution?.kind === 'unresolved') {
    reasons.push(
      resolution.hint === undefined ? resolution.reason : `${resolution.reason} (${resolution.hint})`,
    );
  }
  const isPending = call.status === 'graph_capture_pending_flush';
  if (isPending) reasons.push('its CUDA graph was never run, so no tensor was saved');
  const lost = lostStateOf(record);
  if (lost !== undefined) reasons.push(lost);
  if (record.fir?.truncated === true) reasons.push('its arguments were too large to be recorded whole');
  if (record.fir === undefined) reasons.push(...pythonReasons(call, record, constructed));
  else if (call.selfId !== undefined && call.generation === 0 && lost === undefined) {
    reasons.push(`the constructor of its object (self_id ${call.selfId}) is not in the session`);
  }
  for (const { key, error } of inputs) {
    if (error !== undefined && !isPending) reasons.push(`input ${key}: ${error}`);
  }
  return [...new Set(reasons)];
}
