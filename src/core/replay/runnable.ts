import { askConsent, type ConsentOptions } from '../executors/index.js';
import type { CallRecord, Resolution } from '../model/call.js';
import type { CallEntry } from '../session/index.js';

/** Why a call is not run, as far as its record says; undefined where it can be tried. */
export function whyNotRunnable(
  call: Pick<CallEntry, 'functionName' | 'module' | 'status' | 'problem'>,
  record: CallRecord | undefined,
  resolution: Resolution | undefined,
  consent: ConsentOptions,
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
  if (fir?.truncated === true) return 'not replayable: its arguments were cut when they were recorded';
  const answer = askConsent(call.functionName, resolution, consent);
  if ('place' in answer) return undefined;
  if (resolution?.kind === 'unresolved') {
    const hint = resolution.hint === undefined ? '' : `; ${resolution.hint}`;
    return `not replayable: ${resolution.reason}${hint}`;
  }
  if (resolution === undefined)
    return `not replayable: ${answer.refused} (recorded from module ${call.module})`;
  return `not allowed: ${answer.refused}`;
}
