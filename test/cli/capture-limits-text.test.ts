import { expect, test } from 'vitest';
import { captureSummaryText } from '../../src/cli/capture-text.js';
import { loadPaint } from '../../src/cli/colour.js';
import type { CaptureSummary } from '../../src/core/capture/index.js';

const SUMMARY: CaptureSummary = {
  directory: 'session',
  recorded: 3,
  completed: 3,
  failed: 0,
  unfinished: 0,
  skippedByLimit: 0,
  rotated: 0,
  overLimit: [],
  lostStates: [],
  skippedByFilter: 0,
  notRecorded: 0,
  errors: [],
  bytes: 10,
  processes: 1,
  notReplayable: [],
};

async function linesOf(more: Partial<CaptureSummary>): Promise<string[]> {
  const paint = await loadPaint(process.stderr, { NO_COLOR: '1' });
  return captureSummaryText({ ...SUMMARY, ...more }, 10, paint)
    .split('\n')
    .slice(1, -2);
}

test('what limits took is told, by function where there are several', async () => {
  const overLimit = [
    { function: 'hot', calls: 9 },
    { function: '\u001b[31mred', calls: 1 },
  ];
  expect(await linesOf({ rotated: 10, overLimit, lostStates: [{ class: 'Cache', objects: 2 }] })).toEqual([
    'fir: 10 older calls dropped at the limit',
    'fir: left out or dropped at a limit, by function: hot: 9, \\x1b[31mred: 1',
    "fir: later calls of 2 Cache objects can't be replayed: earlier ones that made their state were dropped",
  ]);
  expect(await linesOf({ skippedByLimit: 4, maxPerFunction: 2 })).toEqual([
    'fir: calls skipped: 4 over --max-count, --max-size or --max-per-function',
  ]);
});

test('that Python keeps its oldest calls is told where the newest were asked for', async () => {
  const python = {
    keepsOldest: true,
    calls: 3,
    processes: [],
    unfinished: [],
    withoutRecord: 0,
    readableByOthers: false,
    maxCount: 1000,
    maxBytes: 1e9,
  };
  const told =
    'fir: FlashInfer’s recorder drops no older calls: at a limit it records no more, whatever --on-limit says';
  expect(await linesOf({ python })).toContain(told);
  expect(await linesOf({ python: { ...python, keepsOldest: false } })).not.toContain(told);
});
