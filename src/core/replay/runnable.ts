import { askConsent, type ConsentOptions } from '../executors/index.js';
import type { CallRecord, Resolution } from '../model/call.js';
import { whyRecordRefuses } from '../plan/recorded-refusal.js';
import type { CallEntry } from '../session/index.js';

/** Why a call is not run, as far as its record says; undefined where it can be tried. */
export function whyNotRunnable(
  call: Pick<CallEntry, 'functionName' | 'module' | 'status' | 'problem'>,
  record: CallRecord | undefined,
  resolution: Resolution | undefined,
  consent: ConsentOptions,
): string | undefined {
  const refusal = whyRecordRefuses(call, record);
  if (refusal !== undefined) return refusal;
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
