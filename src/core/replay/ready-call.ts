import { FirError } from '../errors.js';
import type { CallRecord, Resolution } from '../model/call.js';
import type { CallResult } from '../model/verdict.js';
import { resolutionOf } from '../plan/resolution-of.js';
import type { CallEntry, Dump } from '../session/index.js';
import { reasonOf } from './reason-of.js';
import type { ReplayContext } from './replay-context.js';
import { whyNotRunnable } from './runnable.js';

/** A call's result, but for what the index says about the call. */
export type Draft = Omit<CallResult, 'call' | 'dump' | 'function' | 'pid'>;

/** A call with what its record says, ready to be sent to a worker. */
export interface ReadyCall {
  entry: CallEntry;
  record: CallRecord;
  /** Checked to be the session's own. Its files are opened when a worker needs them here. */
  dump: Dump;
  resolution: Resolution | undefined;
}

/** Reads what a worker needs to know about a call; a draft where it can't be run. */
export function readyCall(context: ReplayContext, call: number): ReadyCall | { draft: Draft } {
  const entry = context.entryOf(call);
  const { session, consent } = context;
  if (entry.status === 'no_record') {
    return { draft: skipped(whyNotRunnable(entry, undefined, undefined, consent) ?? 'no readable record') };
  }
  try {
    const dump = session.openDump(entry);
    const { record } = dump;
    const resolution = resolutionOf(session, entry, record);
    const reason = whyNotRunnable(entry, record, resolution, consent);
    return reason === undefined ? { entry, record, dump, resolution } : { draft: skipped(reason) };
  } catch (error) {
    if (!(error instanceof FirError)) throw error;
    return { draft: { verdict: 'error', reason: reasonOf(error), outputs: [] } };
  }
}

export function skipped(reason: string): Draft {
  return { verdict: 'skipped', reason, outputs: [] };
}
