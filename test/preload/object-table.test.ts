import { describe, expect, it } from 'vitest';
import { type Maker, ObjectTable } from '../../src/preload/object-table.js';

function maker(makes: (object: object) => string | undefined, selfId?: number): Maker {
  return { makes, selfId, hasClaimed: false };
}

describe('ObjectTable', () => {
  it('numbers objects and memory apart, from 1, and no number twice', () => {
    const table = new ObjectTable();
    const [first, second] = [{}, {}];
    table.bind(first, table.reserve(), 'Plan');
    table.bind(second, table.reserve(), 'Plan');
    expect([table.find(first), table.find(second)]).toEqual([
      { self_id: 1, class: 'Plan' },
      { self_id: 2, class: 'Plan' },
    ]);
    expect([table.storageId(first), table.storageId(second), table.storageId(first)]).toEqual([1, 2, 1]);
    expect(table.find({})).toBeUndefined();
  });

  it('claims an object for the innermost call that may be making it', () => {
    const table = new ObjectTable();
    const outer = maker(() => 'Outer');
    const inner = maker((object) => ('inner' in object ? 'Inner' : undefined), table.reserve());
    table.beginMaking(outer);
    table.beginMaking(inner);
    const [own, other] = [{ inner: true }, {}];
    table.claim(own);
    table.claim(other);
    expect(table.find(own)).toEqual({ self_id: 1, class: 'Inner' });
    expect(table.find(other)).toEqual({ self_id: 2, class: 'Outer' });
    expect([table.takeClaim(own), table.takeClaim(own)]).toEqual([true, false]);
  });

  it('claims one object for a constructor', () => {
    const table = new ObjectTable();
    table.beginMaking(maker(() => 'Plan', table.reserve()));
    const [first, second] = [{}, {}];
    table.claim(first);
    table.claim(second);
    expect([table.find(first)?.self_id, table.find(second)]).toEqual([1, undefined]);
  });

  it('claims nothing when no call makes it, and nothing that has a number', () => {
    const table = new ObjectTable();
    const call = maker(() => 'Plan');
    const [known, unknown] = [{}, {}];
    table.bind(known, table.reserve(), 'Known');
    table.beginMaking(call);
    table.claim(known);
    table.endMaking(call);
    table.claim(unknown);
    expect([table.find(known)?.class, table.find(unknown)]).toEqual(['Known', undefined]);
    expect(table.takeClaim(known)).toBe(false);
  });
});
