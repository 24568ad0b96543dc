import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ReplayPlan } from '../../../src/core/plan/replay-plan.js';
import { closeOver } from '../../../src/core/retain/closure.js';
import { type PruneInput, type PruneSelection, planPrune } from '../../../src/core/retain/prune-plan.js';
import { generatedCalls } from '../../support/generated-calls.js';
import { sourceOf, type TestCall } from '../../support/plan-source.js';

interface Wish {
  isChosen?: (index: number) => boolean;
  isUseless?: (index: number) => boolean;
  bounds?: PruneInput['bounds'];
  /** Which dump a call stands in; of its own by default. */
  unitOf?: (index: number) => number;
  blobsOf?: (unit: number) => number[];
}

function inputOf(calls: readonly TestCall[], wish: Wish): PruneInput {
  const groups = new Map<number, number[]>();
  for (const index of calls.keys()) {
    const unit = wish.unitOf?.(index) ?? index;
    groups.set(unit, [...(groups.get(unit) ?? []), index]);
  }
  const source = sourceOf(calls);
  return {
    units: [...groups.values()].map((indexes, unit) => ({
      calls: indexes.map((index) => index + 1),
      bytes: 10 + unit,
      blobs: wish.blobsOf?.(unit) ?? [],
      isChosen: indexes.every((index) => wish.isChosen?.(index) ?? true),
      isUseless: indexes.every((index) => wish.isUseless?.(index) ?? false),
    })),
    blobBytes: [1000, 2000, 3000],
    otherBytes: 5,
    bounds: wish.bounds ?? {},
    neededBy: (kept) => closeOver(source, kept).added,
  };
}

/** Numbers of the calls that go. */
function droppedCalls(input: PruneInput, { dropped }: PruneSelection): number[] {
  return dropped.flatMap((unit) => input.units[unit]?.calls ?? []).sort((a, b) => a - b);
}

function pruned(calls: readonly TestCall[], wish: Wish): PruneSelection & { gone: number[] } {
  const input = inputOf(calls, wish);
  const selection = planPrune(input);
  return { ...selection, gone: droppedCalls(input, selection) };
}

const ATTENTION: TestCall[] = [
  { name: 'Latest.__init__', makes: 1 },
  { name: 'f' },
  { name: 'Latest.plan', self: 1 },
  { name: 'Latest.run', self: 1 },
  { name: 'Latest.plan', self: 1 },
  { name: 'Latest.run', self: 1 },
  { name: 'f' },
];

describe('what goes', () => {
  test('is everything chosen that no kept call needs', () => {
    const { gone, needed, calls } = pruned(ATTENTION, { isChosen: (index) => index !== 5 });
    expect(gone).toEqual([2, 3, 4, 7]);
    expect(needed.map(({ call, neededBy }) => [call, neededBy])).toEqual([
      [1, 6],
      [5, 6],
    ]);
    expect(calls).toBe(3);
  });

  test('is the oldest of that, until what is left is within the bounds', () => {
    expect(pruned(ATTENTION, { bounds: { calls: 5 } }).gone).toEqual([2, 3, 4]);
    expect(pruned(ATTENTION, { bounds: { calls: 4 } })).toMatchObject({
      gone: [2, 3, 4],
      isWithinBounds: true,
    });
    expect(pruned(ATTENTION, { bounds: { calls: 1 } }).gone).toEqual([1, 2, 3, 4, 5, 6]);
    expect(pruned(ATTENTION, { bounds: { calls: 7 } }).gone).toEqual([]);
  });

  test('is as little as brings the bytes within the bounds, with contents that nothing refers to any more', () => {
    const calls = ATTENTION.map(() => ({ name: 'f' }));
    const blobsOf = (unit: number) => (unit === 0 ? [0] : unit < 3 ? [1] : []);
    const all = 5 + 7 * 10 + 21 + 1000 + 2000;
    expect(pruned(calls, { blobsOf, bounds: { bytes: all } }).gone).toEqual([]);
    expect(pruned(calls, { blobsOf, bounds: { bytes: all - 1 } })).toMatchObject({
      gone: [1],
      bytes: all - 1010,
    });
    expect(pruned(calls, { blobsOf, bounds: { bytes: all - 1011 } }).gone).toEqual([1, 2]);
    expect(pruned(calls, { blobsOf, bounds: { bytes: 2000 } })).toMatchObject({ gone: [1, 2, 3] });
  });

  test('leaves more than the bounds where the rest is not chosen, or needed by what is not', () => {
    const { gone, isWithinBounds } = pruned(ATTENTION, {
      isChosen: (index) => index !== 5,
      bounds: { calls: 1 },
    });
    expect(gone).toEqual([2, 3, 4, 7]);
    expect(isWithinBounds).toBe(false);
  });

  test('is what is no use whatever the bounds are, unless it is needed', () => {
    const isUseless = (index: number) => index === 4 || index === 6;
    expect(pruned(ATTENTION, { isUseless, isChosen: () => false }).gone).toEqual([7]);
    expect(pruned(ATTENTION, { isUseless, bounds: { calls: 7 } }).gone).toEqual([7]);
  });

  test('takes all calls of one dump or none of them', () => {
    // Calls 2 and 7 stand in one dump.
    const unitOf = (index: number) => (index === 6 ? 1 : index);
    expect(pruned(ATTENTION, { unitOf, isChosen: (index) => index === 1 }).gone).toEqual([]);
    expect(pruned(ATTENTION, { unitOf, isChosen: (index) => index === 1 || index === 6 }).gone).toEqual([
      2, 7,
    ]);
  });
});

const masks = fc.array(fc.boolean(), { minLength: 30, maxLength: 30 });
const wishes = fc.record({
  chosen: masks,
  useless: fc.array(fc.nat(9), { minLength: 30, maxLength: 30 }),
  group: fc.integer({ min: 1, max: 3 }),
  calls: fc.option(fc.nat(30), { nil: undefined }),
  bytes: fc.option(fc.nat(700), { nil: undefined }),
});

/** How the replay of some calls would go, in terms of all calls. */
function steps(calls: readonly TestCall[], kept: readonly number[], selected: readonly number[]): string[] {
  const places = new Map(kept.map((index, place) => [index, place + 1]));
  const numbers = new Set(selected.flatMap((index) => places.get(index) ?? []));
  const plan = new ReplayPlan(sourceOf(calls, kept), numbers);
  const indexOf = (number: number | undefined) => (number === undefined ? '' : kept[number - 1]);
  return plan.lanes
    .flatMap(({ steps: own }) =>
      own.map(
        ({ call, isSelected, coveredBy, ambiguousWith }) =>
          `${indexOf(call)} ${isSelected} ${indexOf(coveredBy)} ${indexOf(ambiguousWith)} ${plan.stateFor([call]).map(indexOf)}`,
      ),
    )
    .sort();
}

describe('of any session', () => {
  test('every kept call replays as before, and the bounds hold or all that may go is gone', () => {
    fc.assert(
      fc.property(generatedCalls, wishes, (calls, wish) => {
        const isChosen = (index: number) => wish.chosen[index] === true;
        const isUseless = (index: number) => wish.useless[index] === 0;
        const unitOf = (index: number) => (index % 7 === 0 ? 0 : index * wish.group);
        const bounds = { calls: wish.calls, bytes: wish.bytes };
        const result = pruned(calls, { isChosen, isUseless, unitOf, bounds });
        const gone = new Set(result.gone.map((number) => number - 1));
        const all = [...calls.keys()];
        const kept = all.filter((index) => !gone.has(index));
        expect(steps(calls, kept, kept)).toEqual(steps(calls, all, kept));
        for (const index of gone) expect(isChosen(index) || isUseless(index)).toBe(true);
        if (result.isWithinBounds) {
          expect(result.calls).toBeLessThanOrEqual(wish.calls ?? 30);
          expect(result.bytes).toBeLessThanOrEqual(wish.bytes ?? Number.POSITIVE_INFINITY);
        } else {
          expect(result.gone).toEqual(pruned(calls, { isChosen, isUseless, unitOf }).gone);
        }
      }),
      { numRuns: 3000 },
    );
  });

  test('no chosen call stays that is older than one that went, but for those that are needed', () => {
    fc.assert(
      fc.property(generatedCalls, wishes, (calls, wish) => {
        const isChosen = (index: number) => wish.chosen[index] === true;
        const result = pruned(calls, { isChosen, bounds: { calls: wish.calls, bytes: wish.bytes } });
        const needed = new Set(result.needed.map(({ call }) => call));
        const newest = result.gone.at(-1) ?? 0;
        for (let number = 1; number < newest; number++) {
          const mayStay = !isChosen(number - 1) || needed.has(number);
          expect(result.gone.includes(number) || mayStay).toBe(true);
        }
      }),
      { numRuns: 1000 },
    );
  });

  test('one call less would not have been enough', () => {
    fc.assert(
      fc.property(generatedCalls, fc.nat(30), (calls, most) => {
        const result = pruned(calls, { bounds: { calls: most } });
        const newest = result.gone.at(-1);
        if (newest === undefined) return;
        const fewer = pruned(calls, { isChosen: (index) => index + 1 < newest });
        expect(fewer.calls).toBeGreaterThan(most);
      }),
      { numRuns: 1000 },
    );
  });
});
