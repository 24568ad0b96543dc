import type { CallRecord } from '../model/call.js';
import { type CallEntry, lostStateOf } from '../session/index.js';

/** Why a call can't be run again whatever is allowed: what its own record says; undefined where it can be tried. */
export function whyRecordRefuses(
  call: Pick<CallEntry, 'status' | 'problem'>,
  record: CallRecord | undefined,
): string | undefined {
  if (call.status === 'no_record' || record === undefined) {
    return `no readable record${call.problem === undefined ? '' : `: ${call.problem}`}`;
  }
  if (call.status === 'graph_capture_pending_flush')
    return 'recorded in a CUDA graph whose inputs were never read';
  const { fir } = record;
  if (fir?.not_replayable !== undefined && fir.not_replayable.length > 0) {
    return `not replayable: ${fir.not_replayable.join('; ')}`;
  }
  const lost = lostStateOf(record);
  if (lost !== undefined) return `state incomplete: ${lost}`;
  return fir?.truncated === true
    ? 'not replayable: its arguments were cut when they were recorded'
    : undefined;
}
