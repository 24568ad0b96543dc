import type { CallRecord, RecordedError } from '../model/call.js';
import type { JsonValue } from '../model/json.js';
import type { OutputComparison, Verdict } from '../model/verdict.js';

/** How a call ended in the replay. */
export type Ending = { kind: 'returned' } | { kind: 'threw'; name: string; message: string };

export interface JudgedCall {
  record: Pick<CallRecord, 'execution_status' | 'fir'>;
  ending: Ending;
  comparisons: readonly OutputComparison[];
  /** Outputs that `--ignore` left out. */
  ignored: number;
  /** The recorded result; undefined where the record has none. */
  result: JsonValue | undefined;
  /** A method, or a call that makes objects: it may be there for what it does to them alone. */
  isStateBuilding: boolean;
  /** A constructor or a factory: what it gives back has no value to compare. */
  makesObject: boolean;
  hasTensorArguments: boolean;
  /** False where the inputs were read after other calls may have changed them. */
  areInputsCertain: boolean;
}

export interface Judgement {
  verdict: Verdict;
  reason?: string;
  reproduced?: boolean;
  /** The call ended as the recorded one did, so that the state it leaves is the recorded one's. */
  ranAsRecorded: boolean;
}

/**
 * The verdict on a call that ended. Nothing passes without a comparison: an output, a result that is a value, an
 * argument's end state, or a recorded failure that happened again.
 */
export function judge(call: JudgedCall): Judgement {
  switch (call.record.execution_status) {
    case 'failed':
      return judgeFailed(call);
    case 'completed':
      return judgeCompleted(call);
    default:
      return judgeUnfinished(call);
  }
}

function judgeUnfinished({ record, ending }: JudgedCall): Judgement {
  // A recorder that writes down no exceptions leaves such a call as it leaves one that crashed.
  if (record.fir === undefined && ending.kind === 'threw') {
    const reason = 'it did not return when it was recorded either';
    return { verdict: 'error', reason, reproduced: true, ranAsRecorded: false };
  }
  const how = ending.kind === 'returned' ? 'ended well' : `ended with ${ending.name}: ${ending.message}`;
  const reason = `it never finished when it was recorded; the replay ${how}`;
  return { verdict: 'unchecked', reason, ranAsRecorded: ending.kind === 'returned' };
}

function judgeFailed({ record, ending, comparisons }: JudgedCall): Judgement {
  const recorded = describeError(record.fir?.error);
  if (ending.kind === 'returned') {
    const reason = `the recorded call failed with ${recorded}, the replay did not`;
    return { verdict: 'mismatch', reason, ranAsRecorded: false };
  }
  // The comparison of the errors is the first; those of arguments follow.
  const isSame = comparisons[0]?.verdict === 'pass';
  if (!isSame) {
    const reason = `it failed with ${ending.name}: ${ending.message}, recorded ${recorded}`;
    return { verdict: 'mismatch', reason, ranAsRecorded: true };
  }
  if (comparisons.some(isMismatch)) return { verdict: 'mismatch', ranAsRecorded: true };
  return { verdict: 'pass', reproduced: true, ranAsRecorded: true };
}

function judgeCompleted(call: JudgedCall): Judgement {
  const { record, ending, comparisons } = call;
  if (ending.kind === 'threw') return { verdict: 'error', ranAsRecorded: false };
  if (comparisons.some(isMismatch)) {
    if (call.areInputsCertain) return { verdict: 'mismatch', ranAsRecorded: true };
    const reason = 'inputs were read after the graph (--trust-graph-inputs compares all the same)';
    return { verdict: 'unchecked', reason, ranAsRecorded: true };
  }
  const { mutated_pending_keys: tensors = [], mutated_pending_arguments: containers = [] } = record.fir ?? {};
  const pending = [...tensors, ...containers];
  if (pending.length > 0) {
    const reason = `argument changed while the call was pending (${pending.join(', ')})`;
    return { verdict: 'unchecked', reason, ranAsRecorded: true };
  }
  if (comparisons.length > 0) return { verdict: 'pass', ranAsRecorded: true };
  const reason = whyUnchecked(call);
  return reason === undefined
    ? { verdict: 'ran', ranAsRecorded: true }
    : { verdict: 'unchecked', reason, ranAsRecorded: true };
}

/** Why nothing was compared; undefined for calls that are there to build state. */
function whyUnchecked(call: JudgedCall): string | undefined {
  const { result, ignored, hasTensorArguments, record } = call;
  if (ignored > 0) return 'every output is left out by --ignore';
  if (call.makesObject) return undefined;
  if (result === undefined) return 'no output was recorded';
  if (typeof result === 'object' && result !== null && !Array.isArray(result) && 'repr' in result) {
    return `its result was only described, not recorded: ${String(result['repr'])}`;
  }
  if (call.isStateBuilding) return undefined;
  if (hasTensorArguments && record.fir?.mutated_tensor_keys === undefined) {
    return 'it returned nothing, and nobody looked for changes to its arguments when it was recorded';
  }
  return 'it returned nothing that can be compared';
}

function describeError(error: RecordedError | undefined): string {
  return error === undefined ? 'an error that was not recorded' : `${error.name}: ${error.message}`;
}

function isMismatch({ verdict }: OutputComparison): boolean {
  return verdict === 'mismatch';
}
