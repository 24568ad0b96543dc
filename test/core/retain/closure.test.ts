import { describe, expect, test } from 'vitest';
import { closeOver } from '../../../src/core/retain/closure.js';
import { sourceOf, type TestCall } from '../../support/plan-source.js';

function needs(calls: readonly TestCall[], ...selected: number[]): string[] {
  const { added } = closeOver(sourceOf(calls), new Set(selected));
  return added.map(({ call, neededBy, why, reason }) => `${call} for ${neededBy}: ${why}, ${reason}`);
}

describe('what a call needs', () => {
  test('of one object is its constructor and its last plan, and nothing of others', () => {
    const calls: TestCall[] = [
      { name: 'Latest.__init__', makes: 1 },
      { name: 'Latest.__init__', makes: 2 },
      { name: 'Latest.plan', self: 1 },
      { name: 'Latest.plan', self: 1 },
      { name: 'Latest.run', self: 1 },
      { name: 'Latest.run', self: 2 },
      { name: 'Latest.run', self: 1 },
    ];
    expect(needs(calls, 7)).toEqual([
      '1 for 7: creator, makes Latest object 1',
      '4 for 7: state, state of Latest object 1: the last plan before it',
    ]);
  });

  test('is the whole history of an object of which nothing is known, and theirs of the objects in its arguments', () => {
    const calls: TestCall[] = [
      { name: 'Full.__init__', makes: 1 },
      { name: 'Free.__init__', makes: 2 },
      { name: 'Full.run', self: 1, args: ['Free#2'] },
      { name: 'Free.run', self: 2 },
      { name: 'Full.run', self: 1 },
    ];
    expect(needs(calls, 5)).toEqual([
      '1 for 5: creator, makes Full object 1',
      '2 for 3: creator, makes Free object 2',
      '3 for 5: state, state of Full object 1: full history',
    ]);
  });

  test('is every call that it ran inside, and what makes objects in one that may not be allowed to run', () => {
    const calls: TestCall[] = [
      { name: 'Full.__init__', makes: 1 },
      { name: 'f', args: ['Full#1'] },
      { name: 'g', parent: 1 },
      { name: 'Full.run', self: 1, parent: 2 },
      { name: 'Full.run', self: 1, parent: 2 },
    ];
    expect(needs(calls, 5)).toEqual([
      '1 for 5: creator, makes Full object 1',
      '2 for 5: around, ran around it',
      '3 for 5: around, ran around it',
      '4 for 5: state, state of Full object 1: full history',
    ]);
  });

  test('is the call that was pending with the same object, where nobody knows which ran inside which', () => {
    const calls: TestCall[] = [
      { name: 'Full.__init__', makes: 1, time: [0, 1] },
      { name: 'Full.run', self: 1, time: [2, 20], status: 'failed' },
      { name: 'Full.run', self: 1, time: [10, 30], parent: 'unknown' },
    ];
    expect(needs(calls, 3)).toEqual([
      '1 for 3: creator, makes Full object 1',
      '2 for 3: pending, was pending with the same object',
    ]);
  });

  test('is the call around its last plan, and that plan', () => {
    const calls: TestCall[] = [
      { name: 'Latest.__init__', makes: 1 },
      { name: 'f', args: ['Latest#1'] },
      { name: 'Latest.plan', self: 1, parent: 1 },
      { name: 'Latest.run', self: 1 },
    ];
    expect(needs(calls, 4)).toEqual([
      '1 for 4: creator, makes Latest object 1',
      '2 for 4: state, state of Latest object 1: the last plan before it',
      '3 for 4: state, state of Latest object 1: the last plan before it',
    ]);
  });

  test('is nothing where it has no objects', () => {
    expect(needs([{ name: 'f' }, { name: 'f' }], 2)).toEqual([]);
  });
});

describe('what no closure helps', () => {
  test('is told with the reason, and brings no history along', () => {
    const calls: TestCall[] = [
      { name: 'Full.run', self: 1 },
      { name: 'Full.run', self: 1 },
      { name: 'Full.__init__', makes: 2, status: 'failed' },
      { name: 'Full.run', self: 2 },
    ];
    const { added, unready } = closeOver(sourceOf(calls), new Set([2, 4]));
    expect(added.map(({ call }) => call)).toEqual([3]);
    expect(unready).toEqual([
      {
        call: 2,
        reason: "its constructor was not recorded (Full object 1); record it with --include 'Full.*'",
      },
      {
        call: 4,
        reason:
          'state incomplete: call 3 (Full.__init__), which makes Full object 2, failed when it was recorded',
      },
    ]);
  });
});

describe('without what is added', () => {
  const calls: TestCall[] = [
    { name: 'Full.__init__', makes: 1 },
    { name: 'Full.run', self: 1 },
    { name: 'Full.run', self: 1 },
    { name: 'Latest.__init__', makes: 2 },
    { name: 'Latest.plan', self: 2, args: ['Full#1'] },
    { name: 'Latest.run', self: 2 },
    { name: 'f' },
    { name: 'Full.run', self: 9 },
  ];
  const deprived = (...selected: number[]) => closeOver(sourceOf(calls), new Set(selected)).deprived;

  test.each([
    ['a call lacks its constructor', [3], [3]],
    ['a call lacks one of its history', [1, 3], [3]],
    ['a call has all it needs', [1, 2, 3], []],
    ['what a state maker lacks is lacking', [1, 4, 5, 6], [5, 6]],
    ['a call of nothing, and one that can never run, lose nothing', [7, 8], []],
  ])('%s', (_, selected, expected) => {
    expect(deprived(...selected)).toEqual(expected);
  });
});
