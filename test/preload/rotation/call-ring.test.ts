import { describe, expect, it } from 'vitest';
import type { StateRule } from '../../../src/core/adapters/contract.js';
import { CallRing } from '../../../src/preload/rotation/call-ring.js';
import type { KeptCall } from '../../../src/preload/rotation/kept-call.js';

const SHARE = { calls: 20, bytes: 1e9 };
let lastObject = 0;

/** A ring and what fills it: each call begins and ends at once. */
function filledRing() {
  const ring = new CallRing();
  let sequence = 0;
  const begin = (name: string, self?: { self_id: number; class: string }): KeptCall => {
    sequence += 1;
    return ring.begin({
      sequence,
      functionName: name,
      dump: `${name}-${sequence}`,
      startedAt: sequence,
      parent: undefined,
      self,
      objects: [],
      memory: new Map(),
      lostCalls: 0,
    });
  };
  const call = (name: string, self?: { self_id: number; class: string }): KeptCall => {
    const begun = begin(name, self);
    ring.addBytes(begun, 10);
    ring.end(begun, true, []);
    return begun;
  };
  const make = (rule: StateRule, object: object = {}): { self_id: number; class: string } => {
    lastObject += 1;
    const recorded = { self_id: lastObject, class: 'Thing' };
    const begun = begin('Thing.__init__');
    ring.addBytes(begun, 10);
    ring.made(begun, object, recorded, rule);
    ring.end(begun, true, []);
    return recorded;
  };
  const dropAll = (share = SHARE, count = Number.POSITIVE_INFINITY): string[] => {
    const dropped: string[] = [];
    for (let at = 0; at < count; at += 1) {
      const victim = ring.victim(share);
      if (victim === undefined) break;
      ring.drop(victim);
      dropped.push(victim.dump);
    }
    return dropped;
  };
  return { ring, begin, call, make, dropAll };
}

describe('what goes first', () => {
  it('is the oldest call that no other one needs', () => {
    const { call, dropAll } = filledRing();
    for (const name of ['a', 'b', 'c']) call(name);
    expect(dropAll()).toEqual(['a-1', 'b-2', 'c-3']);
  });

  it('is never a call that has not ended', () => {
    const { ring, begin, call, dropAll } = filledRing();
    const pending = begin('a');
    call('b');
    expect(dropAll()).toEqual(['b-2']);
    ring.end(pending, true, []);
    expect(dropAll()).toEqual(['a-1']);
  });

  it('is of an object whose every call matters the newest', () => {
    const { call, make, dropAll } = filledRing();
    const thing = make('full');
    call('Thing.use', thing);
    call('Thing.use', thing);
    call('other');
    expect(dropAll()).toEqual(['Thing.use-3', 'Thing.use-2', 'Thing.__init__-1', 'other-4']);
  });

  it('is of an object that works from its last plan any older one', () => {
    const { call, make, dropAll } = filledRing();
    const thing = make({ latest: ['plan'] });
    call('Thing.plan', thing);
    call('Thing.run', thing);
    call('Thing.plan', thing);
    call('Thing.run', thing);
    expect(dropAll(SHARE, 2)).toEqual(['Thing.run-3', 'Thing.plan-2']);
    expect(call('Thing.run', thing).lostCalls).toBe(0);
  });

  it('is a history that takes more than half of the room, from its newest on', () => {
    const { call, make, dropAll } = filledRing();
    call('other');
    const thing = make('full');
    for (let count = 0; count < 10; count += 1) call('Thing.use', thing);
    expect(dropAll(SHARE, 1)).toEqual(['Thing.use-12']);
    const later = call('Thing.use', thing);
    expect([later.lostCalls, later.needs]).toEqual([1, []]);
    expect(dropAll(SHARE, 1)).toEqual(['other-1']);
  });
});

describe('the call that made an object with no other state', () => {
  it('stays as long as the program has the object, before any newer call', () => {
    const { call, make, dropAll } = filledRing();
    const object = {};
    const thing = make('stateless', object);
    call('Thing.run', thing);
    for (let count = 0; count < 5; count += 1) call('other');
    expect(dropAll(SHARE, 6)).toEqual(['Thing.run-2', 'other-3', 'other-4', 'other-5', 'other-6', 'other-7']);
    expect(call('Thing.run', thing).lostCalls).toBe(0);
    expect(object).toEqual({});
  });

  it('goes with the others where there are many', () => {
    const { make, dropAll } = filledRing();
    const objects = Array.from({ length: 10 }, () => ({}));
    for (const object of objects) make('stateless', object);
    // A quarter of the share is spared.
    expect(dropAll(SHARE, 5).at(-1)).toBe('Thing.__init__-10');
    expect(dropAll()).toHaveLength(5);
    expect(objects).toHaveLength(10);
  });
});

it('a call that is not recorded takes the state of its objects with it', () => {
  const { ring, call, make } = filledRing();
  const [full, stateless] = [make('full'), make('stateless')];
  ring.leaveOut([full, stateless], new Map());
  expect([call('Thing.use', full).lostCalls, call('Thing.use', stateless).lostCalls]).toEqual([1, 0]);
});
