import { expect, test } from 'vitest';
import { ReplayPlan } from '../../../src/core/plan/replay-plan.js';
import { SessionPlanSource } from '../../../src/core/plan/session-plan-source.js';
import { openSession } from '../../../src/core/session/index.js';
import { writeSession } from '../../support/session-writer.js';
import { makeTempDir } from '../../support/temp-dir.js';

const planner = { type: 'Planner', repr: '<kernels.Planner object at 0x10>' };

/** A constructor of an object, and a method of another one that is given it; `own` is how that one shows itself. */
function plannedUses(own: string): string[] {
  const dir = makeTempDir();
  writeSession(
    dir,
    [
      { functionName: '__init__', inputMetadata: { arg_0: planner } },
      {
        functionName: 'RunWrapper.run',
        selfId: 32,
        inputMetadata: { arg_0: { type: 'RunWrapper', repr: own }, arg_1: planner },
      },
      {
        functionName: 'RunWrapper.run',
        selfId: 32,
        inputMetadata: { arg_0: { type: 'RunWrapper', repr: own }, arg_1: 1 },
      },
    ],
    { foreign: true },
  );
  const rules = { languageOf: () => 'python' as const, isRunnable: () => true };
  const plan = new ReplayPlan(new SessionPlanSource(openSession(dir), rules, {}), new Set([2, 3]));
  return [2, 3].map((call) =>
    plan
      .usesOf(call)
      .map(({ className }) => className)
      .join(),
  );
}

test.each(['<kernels.RunWrapper object at 0x20>', 'RunWrapper(page_size=16)'])(
  'an object among the arguments of a method is found whether its own shows an address or not: %s',
  (own) => {
    expect(plannedUses(own)).toEqual(['RunWrapper,Planner', 'RunWrapper']);
  },
);
