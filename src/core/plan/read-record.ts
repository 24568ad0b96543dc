import type { CallRecord } from '../model/call.js';
import type { CallEntry, Session } from '../session/index.js';

/** Undefined where the record can't be read: the call's own turn says why. */
export function readRecord(session: Session, call: CallEntry): CallRecord | undefined {
  if (call.status === 'no_record') return undefined;
  try {
    return session.readRecord(call);
  } catch {
    return undefined;
  }
}
