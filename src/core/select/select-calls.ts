import type { CallEntry, CallStatus } from '../session/index.js';
import { type CallRanges, includesCall } from './call-ranges.js';
import { compilePattern } from './pattern.js';

/** All given conditions must hold; several values of one condition are alternatives. Absent or empty: no condition. */
export interface CallSelection {
  /** Patterns over the function name; `include` is applied before `exclude`. */
  include?: readonly string[];
  exclude?: readonly string[];
  /** A further pattern over the function name, as `include`. */
  function?: readonly string[];
  call?: CallRanges;
  pid?: readonly number[];
  status?: readonly CallStatus[];
  /** Begun at that time or later, and at that time or before; milliseconds since the epoch. */
  sinceMs?: number;
  untilMs?: number;
}

/** The calls of a session that a selection names, in session order. */
export function selectCalls(
  session: { readonly calls: readonly CallEntry[] },
  selection: CallSelection,
): CallEntry[] {
  const included = matcherOf(selection.include);
  const excluded = matcherOf(selection.exclude);
  const named = matcherOf(selection.function);
  const { call: ranges, pid: pids, status: statuses } = selection;
  return session.calls.filter(
    (call) =>
      (ranges === undefined || includesCall(ranges, call.number)) &&
      (pids === undefined || pids.length === 0 || pids.includes(call.pid)) &&
      (statuses === undefined || statuses.length === 0 || statuses.includes(call.status)) &&
      isWithin(call, selection) &&
      (included === undefined || included(call.functionName)) &&
      (named === undefined || named(call.functionName)) &&
      (excluded === undefined || !excluded(call.functionName)),
  );
}

/** Of a call that nobody knows the time of no time is right. */
function isWithin({ startedMs }: CallEntry, { sinceMs, untilMs }: CallSelection): boolean {
  if (sinceMs === undefined && untilMs === undefined) return true;
  return (
    startedMs !== undefined && startedMs >= (sinceMs ?? startedMs) && startedMs <= (untilMs ?? startedMs)
  );
}

/** Whether any pattern matches; undefined where there is none. Names repeat from call to call, so answers are kept. */
function matcherOf(patterns: readonly string[] | undefined): ((name: string) => boolean) | undefined {
  if (patterns === undefined || patterns.length === 0) return undefined;
  const matchers = patterns.map(compilePattern);
  const known = new Map<string, boolean>();
  return (name) => {
    let answer = known.get(name);
    if (answer === undefined) {
      answer = matchers.some((matches) => matches(name));
      known.set(name, answer);
    }
    return answer;
  };
}
