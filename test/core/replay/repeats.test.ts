import { describe, expect, test } from 'vitest';
import { foldRepeats, type RepeatRun, repeatsFor } from '../../../src/core/replay/repeats.js';

const MISMATCH = {
  verdict: 'mismatch',
  outputs: [
    { key: 'result', kind: 'tensor', verdict: 'mismatch', elements: 8 },
    { key: 'result_1', kind: 'tensor', verdict: 'pass', elements: 8 },
  ],
} as const;
const PASS = {
  verdict: 'pass',
  outputs: [{ key: 'result', kind: 'tensor', verdict: 'pass', elements: 8 }],
} as const;

function ended(verdict: 'pass' | 'mismatch', ...differing: [string, number, number][]): RepeatRun {
  return {
    kind: 'ended',
    verdict,
    differing: differing.map(([key, elements, maxAbs]) => ({ key, elements, maxAbs })),
  };
}

describe('a mismatch', () => {
  const fold = (first: { verdict: 'mismatch' | 'pass'; outputs: readonly object[] }, ...runs: RepeatRun[]) =>
    foldRepeats(first as Parameters<typeof foldRepeats>[0], runs);

  test('stays one where the runs agree', () => {
    expect(fold(MISMATCH, ended('mismatch'), ended('mismatch')).verdict).toBe('mismatch');
  });

  test('stays one where only an output that passes differs', () => {
    expect(fold(MISMATCH, ended('mismatch', ['result_1', 3, 1e-9])).verdict).toBe('mismatch');
  });

  test('is unstable where the output differs, with the greatest spread', () => {
    const folded = fold(
      MISMATCH,
      ended('mismatch', ['result', 3, 0.25]),
      ended('mismatch', ['result', 5, 0.125]),
    );
    expect(folded).toMatchObject({
      verdict: 'unstable',
      reason: 'differs from run to run: result in 5 of 8 elements, spread 0.25',
      repeats: { runs: 3, differing: [{ key: 'result', elements: 5, maxAbs: 0.25 }] },
    });
  });

  test('is unstable where another run passes or dies', () => {
    expect(fold(MISMATCH, ended('pass', ['result', 1, 1])).reason).toBe(
      'differs from run to run: result in 1 of 8 elements, spread 1; 1 of 2 runs pass',
    );
    expect(fold(MISMATCH, { kind: 'died', how: 'crashed: SIGSEGV' }).reason).toBe(
      'differs from run to run: a repeat crashed: SIGSEGV',
    );
  });

  test('stays one where its state could not be made again, and says so', () => {
    expect(fold(MISMATCH, { kind: 'impossible', why: 'call 2 crashed' })).toMatchObject({
      verdict: 'mismatch',
      notes: ['could not be repeated: call 2 crashed'],
    });
  });

  test('and a pass are told apart from runs that differ within the tolerance', () => {
    expect(fold(PASS, ended('pass', ['result', 2, 1e-9]))).toMatchObject({
      verdict: 'pass',
      repeats: { runs: 2, differing: [{ key: 'result', elements: 2, maxAbs: 1e-9 }] },
    });
    expect(fold(PASS, ended('mismatch', ['result', 2, 1])).verdict).toBe('unstable');
  });
});

test('a mismatch is always run twice more, other calls as often as asked for', () => {
  expect([1, 2, 5].map((asked) => repeatsFor({ ...MISMATCH, outputs: [] }, asked))).toEqual([2, 2, 4]);
  const passed = { verdict: 'pass' as const, outputs: [...PASS.outputs] };
  expect([1, 2, 5].map((asked) => repeatsFor(passed, asked))).toEqual([0, 1, 4]);
  expect(repeatsFor({ verdict: 'ran', outputs: [] }, 5)).toBe(0);
  expect(repeatsFor({ verdict: 'error', outputs: [] }, 5)).toBe(0);
});
