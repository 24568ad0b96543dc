import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ReplayPlan } from '../../../src/core/plan/replay-plan.js';
import type { PlanCall } from '../../../src/core/plan/types.js';
import { StateLedger } from '../../../src/core/replay/state-ledger.js';
import { RULES, sourceOf, type TestCall } from '../../support/plan-source.js';

/** The steps of a plan, lane by lane: `3` selected, `3s` for its state, `3<1` run inside call 1. */
function steps(
  calls: readonly TestCall[],
  selected: Iterable<number> = calls.map((_, index) => index + 1),
): string[] {
  return new ReplayPlan(sourceOf(calls), new Set(selected)).lanes.map((lane) =>
    lane.steps
      .map(
        ({ call, isSelected, coveredBy }) =>
          `${call}${isSelected ? '' : 's'}${coveredBy === undefined ? '' : `<${coveredBy}`}`,
      )
      .join(' '),
  );
}

describe('what a selection needs', () => {
  const calls: TestCall[] = [
    { name: 'Full.__init__', makes: 1 },
    { name: 'Full.run', self: 1 },
    { name: 'Latest.__init__', makes: 2 },
    { name: 'Latest.plan', self: 2 },
    { name: 'Latest.run', self: 2 },
    { name: 'Latest.plan', self: 2, args: ['Full#1'] },
    { name: 'Free.__init__', makes: 3 },
    { name: 'Free.run', self: 3 },
    { name: 'Full.run', self: 1, status: 'failed' },
    { name: 'f', args: ['Full#1'] },
    { name: 'Full.run', self: 1 },
    { name: 'Latest.run', self: 2 },
    { name: 'Free.run', self: 3 },
    { name: 'g' },
    { name: 'Full.run', self: 9 },
    { name: 'Full.run', self: 9 },
  ];

  test.each([
    ['every completed call that had an object of unknown rule', 11, '1s 2s 3s 6s 10s 11'],
    ['the last call of each named method, with what its arguments need', 12, '1s 2s 3s 6s 12'],
    ['the constructor for a method that makes the state anew', 4, '3s 4'],
    ['the constructor of an object without state', 13, '7s 13'],
    ['nothing for a function', 14, '14'],
    ['nothing for an object that was not made', 16, '16'],
  ])('%s', (_, call, expected) => {
    expect(steps(calls, [call])).toEqual([expected]);
  });

  test('nothing beyond the calls themselves where all are selected', () => {
    expect(steps(calls)).toEqual(['1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16']);
  });
});

describe('objects over one workspace', () => {
  const calls: TestCall[] = [
    { name: 'Full.__init__', makes: 1, keeps: [7] },
    { name: 'Full.__init__', makes: 2, keeps: [7] },
    { name: 'Full.__init__', makes: 3, keeps: [8] },
    { name: 'Full.write', self: 2 },
    { name: 'Full.write', self: 3 },
    { name: 'f', changes: [7] },
    { name: 'f', changes: [9] },
    { name: 'Full.read', self: 1 },
  ];

  test('have the state that calls on any of them, and writes to it, left', () => {
    expect(steps(calls, [8])).toEqual(['1s 2s 4s 6s 8']);
  });

  test('are all broken by a call that did not run', () => {
    const ledger = new StateLedger(new ReplayPlan(sourceOf(calls), new Set([4, 5, 6, 8])));
    ledger.markBroken(5, 'crashed');
    expect(ledger.blockerOf(8)).toBeUndefined();
    ledger.markBroken(4, 'crashed');
    expect(ledger.blockerOf(8)).toBe('state incomplete: call 4 crashed');
  });
});

describe('lanes', () => {
  test('are one for each process with objects, and one for all others', () => {
    const calls: TestCall[] = [
      { name: 'f', process: 'a' },
      { name: 'Full.__init__', makes: 1, process: 'b' },
      { name: 'f', process: 'c' },
      { name: 'Full.run', self: 1, process: 'b' },
      { name: 'Full.__init__', makes: 1, process: 'd' },
      { name: 'f', process: 'a' },
    ];
    expect(steps(calls)).toEqual(['2 4', '5', '1 6 3']);
  });
});

describe('nested calls', () => {
  test('on the object of an outer call are covered, through calls that are not', () => {
    const calls: TestCall[] = [
      { name: 'Full.__init__', makes: 1 },
      { name: 'f', args: ['Full#1'] },
      { name: 'g', parent: 1 },
      { name: 'Full.run', self: 1, parent: 2 },
    ];
    expect(steps(calls)).toEqual(['1 2 3 4<2']);
    expect(steps(calls, [4])).toEqual(['1s 2s 4<2']);
  });

  test('that take an object of the outer call are covered too: it would be changed twice', () => {
    const calls: TestCall[] = [
      { name: 'Full.__init__', makes: 1 },
      { name: 'f', args: ['Full#1'] },
      { name: 'g', args: ['Full#1'], parent: 1 },
    ];
    expect(steps(calls)).toEqual(['1 2 3<2']);
  });

  test('on an object without state run by themselves, but for its constructor', () => {
    const calls: TestCall[] = [
      { name: 'make', result: ['Free#1'] },
      { name: 'Free.__init__', makes: 1, parent: 0 },
      { name: 'Free.run', self: 1, parent: 0 },
    ];
    expect(steps(calls)).toEqual(['1 2<1 3']);
  });

  test('that make the state of an object make it by what ran around them', () => {
    const calls: TestCall[] = [
      { name: 'Latest.__init__', makes: 1 },
      { name: 'f', args: ['Latest#1'] },
      { name: 'Latest.plan', self: 1, parent: 1 },
      { name: 'Latest.run', self: 1 },
    ];
    expect(steps(calls, [4])).toEqual(['1s 2s 4']);
  });

  test('that construct what the outermost call gives back are covered by that', () => {
    const calls: TestCall[] = [
      { name: 'outer', result: ['Full#1'] },
      { name: 'inner', result: ['Full#1'], parent: 0 },
      { name: 'Full.__init__', makes: 1, parent: 1 },
      { name: 'Full.run', self: 1 },
    ];
    expect(steps(calls)).toEqual(['1 2 3<1 4']);
    expect(steps(calls, [4])).toEqual(['1s 4']);
  });

  test('that construct something kept for the call itself run by themselves', () => {
    const calls: TestCall[] = [
      { name: 'Full.__init__', makes: 1 },
      { name: 'Full.__init__', makes: 2, parent: 0 },
      { name: 'Full.run', self: 1 },
      { name: 'Full.run', self: 2, parent: 2 },
    ];
    expect(steps(calls)).toEqual(['1 2 3 4']);
  });

  test('that construct the same object, as a base class does, make no generation', () => {
    const calls: TestCall[] = [
      { name: 'Full.__init__', makes: 1 },
      { name: 'Full.__init__', makes: 1, parent: 0 },
      { name: 'Full.run', self: 1 },
    ];
    expect(steps(calls)).toEqual(['1 2<1 3']);
  });

  test('whose parent started later have none', () => {
    const calls: TestCall[] = [
      { name: 'Full.__init__', makes: 1 },
      { name: 'Full.run', self: 1, parent: 2 },
      { name: 'Full.run', self: 1, parent: 1 },
      { name: 'Full.run', self: 1, parent: 3 },
    ];
    expect(steps(calls)).toEqual(['1 2 3<2 4']);
  });
});

describe('the ledger of broken state', () => {
  test('blocks what needs a broken call, and nothing else', () => {
    const calls: TestCall[] = [
      { name: 'Full.__init__', makes: 1 },
      { name: 'Latest.__init__', makes: 2 },
      { name: 'Full.run', self: 1 },
      { name: 'Latest.run', self: 2 },
      { name: 'Full.run', self: 1 },
      { name: 'Latest.run', self: 2 },
      { name: 'Full.run', self: 9 },
    ];
    const ledger = new StateLedger(new ReplayPlan(sourceOf(calls), new Set([1, 2, 3, 4, 5, 6, 7])));
    ledger.markBroken(3, 'crashed');
    ledger.markBroken(4, 'crashed');
    expect([1, 2, 3, 4, 5, 6, 7].map((call) => ledger.blockerOf(call))).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
      'state incomplete: call 3 crashed',
      undefined,
      "its constructor was not recorded (Full object 9); record it with --include 'Full.*'",
    ]);
  });
});

describe('calls of two languages', () => {
  test('have lanes of their own, in order, where no objects tie them to a process', () => {
    const calls = [
      { name: 'py_mm' },
      { name: 'mm' },
      { name: 'py_mm', process: 'q' },
      { name: 'mm', process: 'q' },
    ];
    const { lanes } = new ReplayPlan(sourceOf(calls), new Set([1, 2, 3, 4]));
    expect(lanes.map(({ language, steps }) => [language, steps.map(({ call }) => call)])).toEqual([
      ['python', [1, 3]],
      ['javascript', [2, 4]],
    ]);
  });

  test('and those of a process with objects stay in lanes of that process', () => {
    const calls = [{ name: 'Full.new', makes: 1 }, { name: 'py_mm' }, { name: 'Full.run', self: 1 }];
    const { lanes } = new ReplayPlan(sourceOf(calls), new Set([1, 2, 3]));
    expect(lanes.map(({ language, steps }) => [language, steps.map(({ call }) => call)])).toEqual([
      ['javascript', [1, 3]],
      ['python', [2]],
    ]);
  });
});

describe('of any session', () => {
  const classes = ['Full', 'Latest', 'Free'];
  const operation = fc.record({
    kind: fc.constantFrom('make', 'method', 'plan', 'function'),
    object: fc.nat(4),
    argument: fc.option(fc.nat(4), { nil: undefined }),
    process: fc.constantFrom('p', 'q'),
    status: fc.constantFrom<PlanCall['status']>('completed', 'completed', 'completed', 'failed'),
  });
  const session = fc.array(operation, { maxLength: 40 }).map((operations) =>
    operations.map(({ kind, object, argument, process, status }): TestCall => {
      const className = classes[object % classes.length] ?? 'Full';
      const args = argument === undefined ? [] : [`${classes[argument % classes.length]}#${argument}`];
      if (kind === 'make') return { name: `${className}.__init__`, makes: object, process };
      if (kind === 'function') return { name: 'f', args, process, status };
      return {
        name: `${className}.${kind === 'plan' ? 'plan' : 'run'}`,
        self: object,
        args,
        process,
        status,
      };
    }),
  );

  test('every selected call is one step, in order, with exactly the calls before it that its objects need', () => {
    fc.assert(
      fc.property(session, fc.array(fc.nat(39), { maxLength: 6 }), (calls, picked) => {
        const selected = new Set(picked.filter((index) => index < calls.length).map((index) => index + 1));
        const plan = new ReplayPlan(sourceOf(calls), selected);
        const planned = plan.lanes.flatMap((lane) => lane.steps);
        const needed = new Set(selected);
        for (const call of selected) addNeeded(calls, call, needed);
        expect(
          planned
            .filter((step) => step.isSelected)
            .map((step) => step.call)
            .sort(byNumber),
        ).toEqual([...selected].sort(byNumber));
        expect(planned.map((step) => step.call).sort(byNumber)).toEqual([...needed].sort(byNumber));
        for (const process of ['p', 'q']) {
          const own = planned.map((step) => step.call).filter((call) => calls[call - 1]?.process === process);
          expect(own).toEqual([...own].sort(byNumber));
        }
        for (const call of selected) {
          const alone = new Set<number>();
          addNeeded(calls, call, alone);
          expect(plan.stateFor([call])).toEqual([...alone].sort(byNumber));
        }
      }),
    );
  });
});

/** The same by its definition: who made each object that a call uses, and which calls since then count. */
function addNeeded(calls: readonly TestCall[], number: number, needed: Set<number>): void {
  const call = calls[number - 1];
  if (call === undefined) return;
  const objects = new Set(call.args ?? []);
  if (call.self !== undefined) objects.add(`${call.name.split('.')[0]}#${call.self}`);
  for (const object of objects) {
    const [className = '', id] = object.split('#');
    const own = calls
      .map((other, index) => ({ ...other, number: index + 1 }))
      .filter((other) => other.process === call.process && other.number < number);
    const creator = own.findLast(
      (other) => other.makes === Number(id) && other.name === `${className}.__init__`,
    );
    const since = own.filter((other) => other.number > (creator?.number ?? 0) && other.status !== 'failed');
    const touching = since.filter(
      (other) =>
        other.makes === undefined &&
        (other.args?.includes(object) ||
          (other.self === Number(id) && other.name.startsWith(`${className}.`))),
    );
    const rule = RULES[className];
    const isAnew = call.name === `${className}.plan` && call.self === Number(id);
    const lastPlan = touching.findLast((other) => other.name.endsWith('.plan'));
    const latest = isAnew || lastPlan === undefined ? [] : [lastPlan];
    const counting = rule === 'full' ? touching : rule === 'stateless' ? [] : latest;
    for (const other of creator === undefined ? [] : [creator, ...counting]) {
      if (needed.has(other.number)) continue;
      needed.add(other.number);
      addNeeded(calls, other.number, needed);
    }
  }
}

function byNumber(a: number, b: number): number {
  return a - b;
}
