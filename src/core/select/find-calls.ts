import { Turns } from '../io/turns.js';
import type { CallEntry, Session } from '../session/index.js';
import { type ContentConditions, hasContentConditions, matchesContents } from './contents.js';
import type { Moment } from './parse-time.js';
import { callsWithVerdicts, type VerdictCondition } from './replay-verdicts.js';
import { type CallSelection, selectCalls } from './select-calls.js';

/** Conditions on calls, from what the index tells to what only their tensors' values do. All given ones must hold. */
export interface CallConditions extends Omit<CallSelection, 'sinceMs' | 'untilMs'>, ContentConditions {
  /** A duration counts back from the start of the session's last call. */
  since?: Moment;
  until?: Moment;
  verdicts?: VerdictCondition;
  /** Only the last so many of those that all other conditions hold for. */
  last?: number;
}

export interface FindOptions {
  signal?: AbortSignal | undefined;
  /** Calls of which contents were looked at, and of how many. */
  onProgress?(done: number, total: number): void;
}

export interface FoundCalls {
  /** In session order. */
  calls: CallEntry[];
  /** Of how many calls something could not be looked at, and what was wrong with the first of them. */
  unreadable: { calls: number; first?: { call: number; reason: string } };
}

/**
 * The calls of a session that meet all conditions. Records and values are read only of those that the cheaper
 * conditions left, one call at a time, and with `last` from the end. FirError USAGE, NOT_FOUND, TOO_LARGE for
 * `verdicts`; the signal's reason.
 */
export async function findCalls(
  session: Session,
  conditions: CallConditions,
  { signal, onProgress }: FindOptions = {},
): Promise<FoundCalls> {
  const left = selectCheaply(session, conditions);
  const { last = Number.POSITIVE_INFINITY } = conditions;
  const unreadable: FoundCalls['unreadable'] = { calls: 0 };
  if (!hasContentConditions(conditions)) {
    return { calls: last === 0 ? [] : left.slice(-last), unreadable };
  }
  const turns = new Turns(signal);
  const found: CallEntry[] = [];
  const isBackwards = last !== Number.POSITIVE_INFINITY;
  for (let done = 0; done < left.length && found.length < last; done++) {
    const call = left[isBackwards ? left.length - 1 - done : done];
    if (call === undefined) break;
    let reason: string | undefined;
    if (await matchesContents(session, call, conditions, (why) => (reason ??= why))) found.push(call);
    if (reason !== undefined) {
      unreadable.calls += 1;
      unreadable.first ??= { call: call.number, reason };
    }
    onProgress?.(done + 1, left.length);
    await turns.take();
  }
  if (isBackwards) found.reverse();
  return { calls: found, unreadable };
}

function selectCheaply(session: Session, conditions: CallConditions): CallEntry[] {
  const { since, until, verdicts } = conditions;
  const lastMs = since === undefined && until === undefined ? undefined : lastStart(session);
  const sinceMs = since === undefined ? undefined : timeOf(since, lastMs);
  const untilMs = until === undefined ? undefined : timeOf(until, lastMs);
  const selected = selectCalls(session, {
    ...conditions,
    ...(sinceMs === undefined ? {} : { sinceMs }),
    ...(untilMs === undefined ? {} : { untilMs }),
  });
  if (verdicts === undefined) return selected;
  const wanted = callsWithVerdicts(session, verdicts);
  return selected.filter(({ number }) => wanted.has(number));
}

/** Of a session without times nothing began at any. */
function timeOf(moment: Moment, lastMs: number | undefined): number {
  return 'at' in moment ? moment.at : (lastMs ?? Number.NaN) - moment.before;
}

function lastStart({ calls }: Session): number | undefined {
  let latest: number | undefined;
  for (const { startedMs } of calls) {
    if (startedMs !== undefined && startedMs > (latest ?? Number.NEGATIVE_INFINITY)) latest = startedMs;
  }
  return latest;
}
