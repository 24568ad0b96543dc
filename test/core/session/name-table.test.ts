import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NameTable } from '../../../src/core/session/name-table.js';

describe('NameTable', () => {
  it('finds every name that was added, and no other', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.string({ unit: 'grapheme', maxLength: 12 }), { maxLength: 60 }),
        (names) => {
          const table = new NameTable();
          const known = names.slice(0, names.length / 2);
          expect(known.map((name) => table.add(name))).toEqual(known.map((_, index) => index));
          expect(known.map((name) => table.find(name))).toEqual(known.map((_, index) => index));
          expect(known.map((_, index) => table.at(index))).toEqual(known);
          for (const name of names.slice(known.length)) expect(table.find(name)).toBeUndefined();
        },
      ),
    );
  });

  it('grows past its first capacity and its first chunk', () => {
    const table = new NameTable();
    const names = Array.from({ length: 20_000 }, (_, index) => `${'d'.repeat(index % 300)}_call${index}`);
    for (const name of names) table.add(name);
    expect(table.size).toBe(20_000);
    expect(names.every((name, index) => table.find(name) === index && table.at(index) === name)).toBe(true);
    expect(table.find('missing')).toBeUndefined();
    expect(table.at(20_000)).toBe('');
  });

  it('keeps a name that is longer than a chunk', () => {
    const table = new NameTable();
    const long = 'x'.repeat(3_000_000);
    table.add('a');
    table.add(long);
    table.add('b');
    expect([table.find('a'), table.find(long), table.find('b')]).toEqual([0, 1, 2]);
  });
});
