import type { CallRecord, Resolution } from '../model/call.js';
import type { CallEntry, Session } from '../session/index.js';

/** How a call's function is found again; a recorder for Python names its module. */
export function resolutionOf(session: Session, entry: CallEntry, record: CallRecord): Resolution | undefined {
  return entry.recorder === 'foreign'
    ? { kind: 'python', module: record.module }
    : session.resolveOf(entry, record);
}
