import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ReplayPlan } from '../../../src/core/plan/replay-plan.js';
import { StateLedger } from '../../../src/core/replay/state-ledger.js';
import { closeOver } from '../../../src/core/retain/closure.js';
import { generatedCalls } from '../../support/generated-calls.js';
import { sourceOf, type TestCall } from '../../support/plan-source.js';

const picks = fc.array(fc.nat(29), { maxLength: 6 });
const RUNS = { numRuns: 3000 };

/** Indexes of some of the calls. */
function pick(calls: readonly TestCall[], picked: readonly number[]): number[] {
  return [...new Set(picked)].filter((index) => index < calls.length).sort((a, b) => a - b);
}

/** Indexes of the selected calls and of what they need, where only the kept ones are there. */
function closed(
  calls: readonly TestCall[],
  selected: readonly number[],
  kept: readonly number[] = [...calls.keys()],
): number[] {
  const { added } = closeOver(sourceOf(calls, kept), numbersOf(selected, kept));
  return [...selected, ...added.map(({ call }) => kept[call - 1] ?? -1)].sort((a, b) => a - b);
}

function numbersOf(indexes: readonly number[], kept: readonly number[]): Set<number> {
  const places = new Map(kept.map((index, place) => [index, place + 1]));
  return new Set(indexes.flatMap((index) => places.get(index) ?? []));
}

/** How a replay of the selected calls would go, in terms of all calls: its steps, and why some of them won't run. */
function planned(
  calls: readonly TestCall[],
  selected: readonly number[],
  kept: readonly number[],
  isRunnable: (index: number) => boolean,
): unknown {
  const plan = new ReplayPlan(sourceOf(calls, kept, isRunnable), numbersOf(selected, kept));
  const ledger = new StateLedger(plan);
  const indexOf = (number: number | undefined) => (number === undefined ? undefined : kept[number - 1]);
  const steps = plan.lanes.flatMap(({ language, steps: own }) =>
    own.map(({ call, isSelected, coveredBy, ambiguousWith }) => ({
      index: indexOf(call) ?? -1,
      language,
      isSelected,
      coveredBy: indexOf(coveredBy),
      ambiguousWith: indexOf(ambiguousWith),
      // Calls have other numbers in what was cut out.
      blocker: ledger.blockerOf(call)?.replace(/call \d+/, 'call'),
      state: plan.stateFor([call]).map(indexOf),
    })),
  );
  // Processes may come in another order.
  return steps.sort((a, b) => a.index - b.index);
}

describe('of any session, what a selection needs', () => {
  test('needs nothing more itself', () => {
    fc.assert(
      fc.property(generatedCalls, picks, (calls, picked) => {
        const selected = closed(calls, pick(calls, picked));
        expect(closed(calls, selected)).toEqual(selected);
        expect(closeOver(sourceOf(calls), numbersOf(selected, [...calls.keys()])).deprived).toEqual([]);
      }),
      RUNS,
    );
  });

  test('is among what a larger selection needs', () => {
    fc.assert(
      fc.property(generatedCalls, picks, picks, (calls, picked, more) => {
        const larger = closed(calls, pick(calls, [...picked, ...more]));
        expect(larger).toEqual(expect.arrayContaining(closed(calls, pick(calls, picked))));
      }),
      RUNS,
    );
  });

  test('is the same in what was cut out of it', () => {
    fc.assert(
      fc.property(generatedCalls, picks, picks, (calls, picked, again) => {
        const kept = closed(calls, pick(calls, picked));
        const selected = pick(calls, again).filter((index) => kept.includes(index));
        expect(closed(calls, selected, kept)).toEqual(closed(calls, selected));
      }),
      RUNS,
    );
  });

  test('makes it replay alone as it does in the whole, whatever may run', () => {
    fc.assert(
      fc.property(
        generatedCalls,
        picks,
        fc.array(fc.boolean(), { maxLength: 30 }),
        (calls, picked, refused) => {
          const selected = pick(calls, picked);
          const all = [...calls.keys()];
          const kept = closed(calls, selected);
          const isRunnable = (index: number) => refused[index] !== true;
          expect(planned(calls, selected, kept, isRunnable)).toEqual(
            planned(calls, selected, all, isRunnable),
          );
        },
      ),
      RUNS,
    );
  });

  test('is what calls are deprived of without it', () => {
    fc.assert(
      fc.property(generatedCalls, picks, (calls, picked) => {
        const { added, deprived } = closeOver(
          sourceOf(calls),
          numbersOf(pick(calls, picked), [...calls.keys()]),
        );
        if (added.length === 0) expect(deprived).toEqual([]);
      }),
      RUNS,
    );
  });
});
