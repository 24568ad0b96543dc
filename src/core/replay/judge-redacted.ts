import type { CallRecord } from '../model/call.js';
import { isRedactedCall } from '../session/index.js';
import type { Ending, Judgement } from './judge.js';

const REDACTED = 'inputs were redacted';

/** What is to be known of the failure of a call whose values were left out. */
export function redactionNotes(record: CallRecord): string[] {
  return isRedactedCall(record)
    ? ['it ran on random inputs of the recorded range: its own were redacted']
    : [];
}

/**
 * The verdict on a call that ran on other inputs than it was recorded with: nothing that it gives can be held against the
 * record. That it throws where the recorded call did not is an error; that it doesn't, or both did, proves nothing.
 */
export function judgeRedacted({
  record,
  ending,
  makesObject,
}: {
  record: CallRecord;
  ending: Ending;
  makesObject: boolean;
}): Judgement {
  const hasThrown = ending.kind === 'threw';
  const how = hasThrown ? `ended with ${ending.name}: ${ending.message}` : 'ended well';
  switch (record.execution_status) {
    case 'completed':
      if (hasThrown) return { verdict: 'error', ranAsRecorded: false };
      return makesObject
        ? { verdict: 'ran', ranAsRecorded: true }
        : { verdict: 'unchecked', reason: REDACTED, ranAsRecorded: true };
    case 'failed': {
      const name = record.fir?.error?.name ?? 'an error';
      const reason = `${REDACTED}; the recorded call failed with ${name}, the replay ${how}`;
      return { verdict: 'unchecked', reason, ranAsRecorded: hasThrown };
    }
    default: {
      const reason = `${REDACTED}; it never finished when it was recorded, the replay ${how}`;
      return { verdict: 'unchecked', reason, ranAsRecorded: !hasThrown };
    }
  }
}
