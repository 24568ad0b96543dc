import { expect, test } from 'vitest';
import { summaryLine } from '../../src/report/summary-line.js';
import { summaryOf } from './replay-results.js';

test.each([
  [
    { calls: 64, pass: 61, ran: 2, mismatch: 1, outputsCompared: 118 },
    '61 passed, 2 ran, 1 mismatch, 0 skipped of 64 calls (118 outputs compared)',
  ],
  [{}, '0 passed, 0 ran, 0 mismatches, 0 skipped of 0 calls (0 outputs compared)'],
  [
    {
      calls: 10,
      pass: 1,
      error: 1,
      crashed: 2,
      timeout: 1,
      unstable: 1,
      unchecked: 3,
      skipped: 1,
      outputsCompared: 1,
    },
    '1 passed, 0 ran, 0 mismatches, 1 error, 2 crashed, 1 timeout, 1 unstable, 3 unchecked, 1 skipped of 10 calls (1 output compared)',
  ],
  [
    { calls: 1, pass: 1, reproduced: 1 },
    '1 passed, 0 ran, 0 mismatches, 0 skipped of 1 call (0 outputs compared, 1 failure reproduced)',
  ],
])('%j', (summary, line) => {
  expect(summaryLine(summaryOf(summary))).toBe(line);
});
