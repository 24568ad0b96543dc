import { expect, test } from 'vitest';
import { compareStrings } from '../../../src/core/compare/index.js';

const EXACT = { rtol: 0, atol: 0, source: 'exact (string)' };

test('equal strings pass', () => {
  const tensor = { shape: [2], strings: ['a', 'é'] };
  expect(compareStrings('result', tensor, { shape: [2], strings: ['a', 'é'] }, EXACT)).toEqual({
    key: 'result',
    kind: 'tensor',
    verdict: 'pass',
    dtype: 'string',
    shape: [2],
    elements: 2,
    mismatched: 0,
    tolerance: EXACT,
  });
});

test('the first that differs is named with both values, shortened', () => {
  const long = 'x'.repeat(100);
  const actual = { shape: [2, 2], strings: ['a', 'b', long, 'd'] };
  const expected = { shape: [2, 2], strings: ['a', 'b', '"\n', 'e'] };
  expect(compareStrings('result', actual, expected, { ...EXACT, rtol: 1 })).toMatchObject({
    verdict: 'mismatch',
    elements: 4,
    mismatched: 2,
    reason: `first differs at [1,0]: "${'x'.repeat(60)}…", recorded "\\"\\n"`,
    tolerance: { rtol: 0 },
  });
  expect(compareStrings('result', actual, expected, { ...EXACT, ratio: 0.5 }).verdict).toBe('pass');
});

test('another form of the same character is another string', () => {
  const of = (text: string) => ({ shape: [1], strings: [text] });
  expect(compareStrings('result', of('\u00e9'), of('e\u0301'), EXACT).verdict).toBe('mismatch');
});

test('a shape that differs is a mismatch', () => {
  const comparison = compareStrings(
    'r',
    { shape: [1, 1], strings: ['a'] },
    { shape: [1], strings: ['a'] },
    EXACT,
  );
  expect(comparison).toMatchObject({ verdict: 'mismatch', reason: 'shape differs: [1,1], recorded [1]' });
  expect(comparison.elements).toBeUndefined();
});
