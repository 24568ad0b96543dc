import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { matchesPattern } from '../../../src/core/select/index.js';

const reference: {
  names: string[];
  vectors: { pattern: string; matches: string[] }[];
  pairs: { pattern: string; name: string; matches: boolean }[];
} = JSON.parse(readFileSync(new URL('../../fixtures/select/fnmatch.json', import.meta.url), 'utf8'));

describe('matchesPattern', () => {
  it.each(reference.vectors)('matches what Python does for $pattern', ({ pattern, matches }) => {
    expect(reference.names.filter((name) => matchesPattern(pattern, name))).toEqual(matches);
  });

  it('agrees with Python on random patterns', () => {
    const wrong = reference.pairs.filter(
      ({ pattern, name, matches }) => matchesPattern(pattern, name) !== matches,
    );
    expect(wrong).toEqual([]);
  });

  it('tells cases apart and gives slashes and leading dots no meaning', () => {
    expect(matchesPattern('MM*', 'mm_fp8')).toBe(false);
    expect(matchesPattern('*b', 'a/b')).toBe(true);
    expect(matchesPattern('*', '.hidden')).toBe(true);
  });

  it('answers at once for patterns made to backtrack', () => {
    const begin = performance.now();
    expect(matchesPattern('*a*a*a*a*a*a*a*a*a*a*b', 'a'.repeat(20_000))).toBe(false);
    expect(matchesPattern(`${'*?'.repeat(50)}b`, 'a'.repeat(5_000))).toBe(false);
    expect(performance.now() - begin).toBeLessThan(2_000);
  });
});
