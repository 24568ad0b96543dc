import { expect, test } from 'vitest';
import { PLAIN } from '../../src/cli/colour.js';
import type { CallResult } from '../../src/core/model/verdict.js';
import { PrettyReporter } from '../../src/report/pretty.js';
import { BEGIN, HOSTILE, mismatching, passing, resultOf, summaryOf, textSink } from './replay-results.js';

async function report(results: CallResult[]): Promise<string> {
  const sink = textSink();
  const reporter = new PrettyReporter(sink, PLAIN);
  await reporter.onBegin(BEGIN);
  for (const result of results) await reporter.onCallEnd(result);
  await reporter.onEnd(summaryOf({ calls: results.length }));
  return sink.text;
}

test('a line a call, and the summary last', async () => {
  const text = await report([
    resultOf(1, { function: 'Gemm.__init__', verdict: 'ran', outputs: [] }),
    resultOf(2),
    resultOf(3, { verdict: 'skipped', reason: 'not allowed: give --app', outputs: [], durationUs: 0 }),
  ]);
  expect(text).toMatchInlineSnapshot(`
    "replaying fir_dumps on cpu, tolerances: default
    ✓ 1 Gemm.__init__  ran, 1.5 ms
    ✓ 2 gemm  1 output, 1.5 ms
    - 3 gemm  skipped: not allowed: give --app, 0 µs

    0 passed, 0 ran, 0 mismatches, 0 skipped of 3 calls (0 outputs compared)
    "
  `);
});

test('calls in a row that are skipped for one reason are one line', async () => {
  const skipped = (call: number, reason: string) =>
    resultOf(call, { verdict: 'skipped', reason, outputs: [], durationUs: 0 });
  const text = await report([
    skipped(1, 'not allowed: give --app'),
    skipped(2, 'not allowed: give --app'),
    skipped(3, 'not allowed: give --app'),
    resultOf(4),
    skipped(5, 'not allowed: give --app'),
    skipped(6, 'state incomplete'),
    skipped(7, 'state incomplete'),
  ]);
  expect(text.split('\n').slice(1, -3)).toEqual([
    '- 1-3 gemm  skipped: not allowed: give --app, 0 µs',
    '✓ 4 gemm  1 output, 1.5 ms',
    '- 5 gemm  skipped: not allowed: give --app, 0 µs',
    '- 6-7 gemm  skipped: state incomplete, 0 µs',
  ]);
});

test('a mismatch says which output, how much of it, where, and against which tolerance', async () => {
  const text = await report([
    resultOf(7, { verdict: 'mismatch', reason: '1 of 2 outputs', outputs: [mismatching(), passing()] }),
  ]);
  expect(text.split('\n').slice(1, -3).join('\n')).toMatchInlineSnapshot(`
    "✗ 7 gemm  mismatch: 1 of 2 outputs, 1.5 ms
        result float32[2,256]: 3 of 512 elements differ
          max abs 0.125 at [1,7]: actual 1.125, expected 1
          max rel Infinity at [0,0]: actual 1e-7, expected 0
          rmse 0.0055, cosine 0.9999, max ulp 1048576, 1 NaN
          tolerance: rtol 1.3e-6, atol 1e-5 (preset default (float32))"
  `);
});

test('values, errors, what the program printed, repeats and notes are told', async () => {
  const text = await report([
    resultOf(1, {
      verdict: 'mismatch',
      outputs: [{ key: 'result', kind: 'value', verdict: 'mismatch', actual: 4, expected: 'three' }],
    }),
    resultOf(2, {
      verdict: 'crashed',
      reason: 'killed by SIGSEGV',
      reproduced: true,
      error: { name: 'Error', message: 'two\nlines' },
      outputs: [],
      stderr: `${'a line\n'.repeat(12)}the last\n`,
      notes: ['onnxruntime-node 1.29.0 instead of 1.30.0'],
    }),
    resultOf(3, {
      verdict: 'unstable',
      outputs: [],
      repeats: { runs: 5, differing: [{ key: 'result', elements: 2, maxAbs: 1e-7 }] },
    }),
  ]);
  expect(text.split('\n').slice(1, -3).join('\n')).toMatchInlineSnapshot(`
    "✗ 1 gemm  mismatch, 1.5 ms
        result: differs
          actual 4, expected "three"
    ✗ 2 gemm  crashed: killed by SIGSEGV, reproduced, 1.5 ms
        Error: two
        lines
        note: onnxruntime-node 1.29.0 instead of 1.30.0
        stderr: (3 lines before)
          a line
          a line
          a line
          a line
          a line
          a line
          a line
          a line
          a line
          the last
    ? 3 gemm  unstable, 1.5 ms
        result: 2 elements differ between 5 runs, at most by 1e-7"
  `);
});

test('a session can not write control characters to the terminal, nor lines of its own', async () => {
  const text = await report([
    resultOf(1, {
      function: HOSTILE,
      verdict: 'mismatch',
      reason: HOSTILE,
      outputs: [
        { ...mismatching(), key: HOSTILE, notes: [HOSTILE] },
        {
          key: HOSTILE,
          kind: 'value',
          verdict: 'mismatch',
          reason: HOSTILE,
          actual: HOSTILE,
          expected: null,
        },
      ],
      error: { name: HOSTILE, message: HOSTILE },
      stdout: HOSTILE,
      notes: [HOSTILE],
    }),
  ]);
  expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
  expect(text).not.toMatch(/^::error/m);
});
