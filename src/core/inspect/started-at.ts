import type { CallRecord } from '../model/call.js';
import { isoFromTimestamp } from '../session/index.js';

/** When the call began: fir's time in UTC, or another recorder's local time without a zone; null where neither is there. */
export function startedAtOf(record: CallRecord): string | null {
  return record.fir?.started_at || isoFromTimestamp(record.timestamp) || null;
}
