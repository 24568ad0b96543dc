import { ProcessObjects } from '../plan/process-objects.js';
import { processesOf } from '../plan/processes-of.js';
import { whyRecordRefuses } from '../plan/recorded-refusal.js';
import { type PlanRules, SessionPlanSource } from '../plan/session-plan-source.js';
import type { PlanSource } from '../plan/types.js';
import type { Session } from '../session/index.js';
import { type AddedCall, Closing, type UnreadyCall } from './closing.js';
import { deprivedAmong } from './deprived.js';

export interface Closure {
  /** In session order, none of them selected. */
  added: AddedCall[];
  /** Selected calls that can't be replayed whatever is added: the session has not what makes their objects. */
  unready: UnreadyCall[];
  /** Selected calls that without the added ones would not replay, or not as they did. */
  deprived: number[];
}

/** Whatever a replay's user allows or puts in a call's place: only the record says no. */
export const RULES: PlanRules = {
  languageOf: () => 'javascript',
  isRunnable: (call, record) => whyRecordRefuses(call, record) === undefined,
};

/**
 * The calls that the selected ones need, so that these alone replay as they do in the whole session: what makes their
 * objects and those objects' state, and the calls that they ran inside. The added ones have all that they need
 * themselves. `stateful`: class to the methods of which the last call each makes an object's state.
 */
export function closureOf(
  session: Session,
  selected: ReadonlySet<number>,
  stateful: Readonly<Record<string, readonly string[]>>,
): Closure {
  return closeOver(new SessionPlanSource(session, RULES, stateful), selected);
}

/** The same of anything that a plan can be made of. */
export function closeOver(source: PlanSource, selected: ReadonlySet<number>): Closure {
  const closure: Closure = { added: [], unready: [], deprived: [] };
  for (const calls of processesOf(source.calls, selected)) {
    const whole = new ProcessObjects(calls, source);
    const views = whole.coveredBy.size === 0 ? [whole] : [whole, new ProcessObjects(calls, apart(source))];
    const closing = new Closing(views);
    const own = [...calls.keys()].filter((position) => selected.has(calls[position]?.number ?? 0));
    closing.close(own);
    for (const added of closing.added) closure.added.push(added);
    for (const unready of closing.unready) closure.unready.push(unready);
    for (const position of deprivedAmong(whole, own)) closure.deprived.push(calls[position]?.number ?? 0);
  }
  closure.added.sort((a, b) => a.call - b.call);
  closure.unready.sort((a, b) => a.call - b.call);
  closure.deprived.sort((a, b) => a - b);
  return closure;
}

/** As where no call may run, and so none in another one's place. */
function apart(source: PlanSource): PlanSource {
  return {
    calls: source.calls,
    languageOf: (call) => source.languageOf(call),
    ruleOf: (className, adapter) => source.ruleOf(className, adapter),
    factsOf: (call) => source.factsOf(call),
    isRunnable: () => false,
  };
}
