import { describe, expect, test } from 'vitest';
import type { CallResult, Verdict } from '../../../src/core/model/verdict.js';
import { SummaryCounter } from '../../../src/core/replay/summary.js';

function exitCode(
  verdicts: Verdict[],
  options: { allowIncomplete?: boolean; wasInterrupted?: boolean } = {},
): number {
  const counter = new SummaryCounter();
  for (const verdict of verdicts) counter.add(resultOf(verdict));
  const { exitCode: code } = counter.finish(verdicts.length, {
    allowIncomplete: false,
    wasInterrupted: false,
    ...options,
  });
  return code;
}

function resultOf(verdict: Verdict, more: Partial<CallResult> = {}): CallResult {
  return { call: 1, dump: 'd', function: 'f', pid: 1, verdict, outputs: [], ...more };
}

describe('exit codes', () => {
  test.each<[string, Verdict[], number, number]>([
    ['every call passed', ['pass', 'pass'], 0, 0],
    ['calls passed, others only ran', ['pass', 'ran'], 0, 0],
    ['a mismatch', ['pass', 'mismatch'], 1, 1],
    ['an error', ['pass', 'error'], 1, 1],
    ['a crash', ['pass', 'crashed'], 1, 1],
    ['a timeout', ['pass', 'timeout'], 1, 1],
    ['a failure beside something not compared', ['skipped', 'mismatch'], 1, 1],
    ['something unchecked', ['pass', 'unchecked'], 3, 0],
    ['something unstable', ['pass', 'unstable'], 3, 0],
    ['something skipped', ['pass', 'skipped'], 3, 0],
    ['nothing but calls that ran', ['ran', 'ran'], 3, 0],
    ['nothing but skipped calls', ['skipped'], 3, 0],
    ['nothing selected', [], 3, 3],
  ])('%s', (_, verdicts, code, incomplete) => {
    expect(exitCode(verdicts)).toBe(code);
    expect(exitCode(verdicts, { allowIncomplete: true })).toBe(incomplete);
    expect(exitCode(verdicts, { wasInterrupted: true })).toBe(130);
  });
});

test('counts calls, reproduced ones and compared outputs, and keeps the denominator', () => {
  const counter = new SummaryCounter();
  const output = { key: 'result', kind: 'tensor', verdict: 'pass' } as const;
  counter.add(resultOf('pass', { outputs: [output, output] }));
  counter.add(resultOf('pass', { reproduced: true, outputs: [output] }));
  counter.add(resultOf('crashed', { reproduced: true }));
  expect(counter.finish(5, { allowIncomplete: false, wasInterrupted: true })).toEqual({
    calls: 5,
    pass: 2,
    ran: 0,
    mismatch: 0,
    error: 0,
    crashed: 1,
    timeout: 0,
    unstable: 0,
    unchecked: 0,
    skipped: 0,
    reproduced: 2,
    outputsCompared: 3,
    exitCode: 130,
  });
});
