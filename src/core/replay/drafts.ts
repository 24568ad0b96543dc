import type { CallRecord } from '../model/call.js';
import { isRedactedCall } from '../session/index.js';
import { redactionNotes } from './judge-redacted.js';
import type { RunOutcome, RunPhase } from './protocol.js';
import type { Draft } from './ready-call.js';
import { foldRepeats, type RepeatRun } from './repeats.js';
import type { RunEnd } from './replay-worker.js';

const SHOWS_OUTPUT = new Set(['mismatch', 'error', 'crashed', 'timeout', 'unstable']);

/** The result of a call that ended in its worker. */
export function draftOfOutcome(outcome: RunOutcome): Draft {
  const { notes, onceNotes: _, ranAsRecorded: __, differing: ___, ...rest } = outcome;
  return { ...rest, ...(notes.length === 0 ? {} : { notes }) };
}

/** The result of a call that ended its worker, or had to be ended with it. */
export function draftOfDeath(end: Exclude<RunEnd, { kind: 'outcome' }>, record: CallRecord): Draft {
  if (end.kind === 'notBegun')
    return { verdict: 'error', reason: 'its worker was gone before the call began', outputs: [] };
  const phase = inPhase(end.phase);
  const told = redactionNotes(record);
  const notes = told.length === 0 ? {} : { notes: told };
  if (end.kind === 'timeout')
    return { verdict: 'timeout', reason: `did not end in time${phase}`, outputs: [], ...notes };
  const { how, error } = end;
  const cause = error === undefined ? how : `uncaught ${error.name}: ${error.message}`;
  return {
    verdict: 'crashed',
    reason: `${cause}${phase}`,
    outputs: [],
    ...(isReproduced(record) ? { reproduced: true } : {}),
    ...(error === undefined ? {} : { error }),
    ...notes,
  };
}

/** Of a call that ran on other inputs than the recorded ones nobody can say. */
function isReproduced(record: CallRecord): boolean {
  return record.execution_status === 'inputs_saved' && !isRedactedCall(record);
}

/** The result of a call that ended its worker, but not the fresh one in which it ran alone. */
export function draftAfterDeath(draft: Draft, how: string): Draft {
  const told = `the worker ended (${how}) while it ran, but not when it ran again alone: an earlier call may be to blame`;
  const isFailure = ['mismatch', 'error', 'crashed', 'timeout'].includes(draft.verdict);
  return isFailure
    ? { ...draft, notes: [...(draft.notes ?? []), told] }
    : { ...draft, verdict: 'unstable', reason: told };
}

export function withRepeats(draft: Draft, runs: readonly RepeatRun[], asked: number): Draft {
  const { notes: more = [], repeats, ...folded } = foldRepeats(draft, runs);
  const notes = [...(draft.notes ?? []), ...more];
  const isTold = asked > 1 || folded.verdict === 'unstable';
  return {
    ...draft,
    ...folded,
    ...(notes.length === 0 ? {} : { notes }),
    ...(isTold && repeats !== undefined ? { repeats } : {}),
  };
}

/** Output of the called code is for those who look for a fault. */
export function withOutput(
  draft: Draft,
  { stdout, stderr }: { stdout: string | undefined; stderr: string | undefined },
  isAlways: boolean,
): Draft {
  if (!isAlways && !SHOWS_OUTPUT.has(draft.verdict)) return draft;
  return {
    ...draft,
    ...(stdout === undefined ? {} : { stdout }),
    ...(stderr === undefined ? {} : { stderr }),
  };
}

/** What became of a call that others needed, in words that follow `call 3`. */
export function failureOf({ verdict, reason, error }: Draft): string {
  if (verdict === 'crashed') return `crashed (${reason})`;
  if (verdict === 'timeout') return 'did not end in time';
  if (verdict === 'skipped') return `was not run (${reason})`;
  return `failed (${reason ?? (error === undefined ? 'no error' : `${error.name}: ${error.message}`)})`;
}

function inPhase(phase: RunPhase): string {
  if (phase === 'prepare') return ' while its code and tensors were loaded';
  return phase === 'judge' ? ' while its results were compared' : '';
}
