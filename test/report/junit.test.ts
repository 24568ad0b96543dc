import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import type { CallResult } from '../../src/core/model/verdict.js';
import { JunitReporter } from '../../src/report/junit.js';
import { expectWellFormed } from '../support/xml.js';
import { BEGIN, HOSTILE, mismatching, resultOf, summaryOf, textSink } from './replay-results.js';

async function report(results: CallResult[], session = BEGIN.session): Promise<string> {
  const sink = textSink();
  const reporter = new JunitReporter(sink);
  reporter.onBegin({ ...BEGIN, session });
  for (const result of results) await reporter.onCallEnd(result);
  await reporter.onEnd(summaryOf({ calls: results.length, pass: 1, mismatch: 1, crashed: 1, skipped: 1 }));
  return sink.text;
}

test('calls are test cases, with the counts before them', async () => {
  const xml = await report([
    resultOf(1),
    resultOf(2, { verdict: 'mismatch', outputs: [mismatching()] }),
    resultOf(3, { verdict: 'crashed', reason: 'SIGSEGV', outputs: [], stderr: 'last words\n' }),
    resultOf(4, { verdict: 'skipped', reason: 'not allowed', outputs: [], durationUs: 0 }),
  ]);
  expectWellFormed(xml);
  expect(xml).toMatchInlineSnapshot(`
    "<?xml version="1.0" encoding="UTF-8"?>
    <testsuites tests="4" failures="1" errors="1" skipped="1" time="0.004500">
    <testsuite name="fir replay fir_dumps" tests="4" failures="1" errors="1" skipped="1" time="0.004500">
    <testcase name="call 1 gemm" classname="gemm" time="0.001500"></testcase>
    <testcase name="call 2 gemm" classname="gemm" time="0.001500"><failure type="mismatch" message="mismatch">result float32[2,256]: 3 of 512 elements differ
      max abs 0.125 at [1,7]: actual 1.125, expected 1
      max rel Infinity at [0,0]: actual 1e-7, expected 0
      rmse 0.0055, cosine 0.9999, max ulp 1048576, 1 NaN
      tolerance: rtol 1.3e-6, atol 1e-5 (preset default (float32))
    dump: dump_2</failure></testcase>
    <testcase name="call 3 gemm" classname="gemm" time="0.001500"><error type="crashed" message="crashed: SIGSEGV">dump: dump_3</error><system-err>last words
    </system-err></testcase>
    <testcase name="call 4 gemm" classname="gemm" time="0.000000"><skipped message="skipped: not allowed"/></testcase>
    <system-out>1 passed, 0 ran, 1 mismatch, 1 crashed, 1 skipped of 4 calls (0 outputs compared)</system-out>
    </testsuite>
    </testsuites>
    "
  `);
});

test('whatever a session holds, the file stays well-formed XML', async () => {
  const everything = Array.from({ length: 0x100 }, (_, code) => String.fromCharCode(code)).join('');
  const xml = await report(
    [HOSTILE, everything, '\ufffe\uffff\udc00', ']]>', '<!--', '&amp;'].map((text, index) =>
      resultOf(index + 1, {
        function: text,
        verdict: index % 2 === 0 ? 'error' : 'unchecked',
        reason: text,
        error: { name: text, message: text },
        outputs: [],
        stdout: text,
        stderr: text,
      }),
    ),
    HOSTILE,
  );
  expectWellFormed(xml);
});

test('no line of it is a command to a CI that reads what the job prints', async () => {
  const text = 'first\n::error::second\n  ::set-output\n##[group]third';
  const xml = await report(
    [resultOf(1, { verdict: 'error', error: { name: 'Error', message: text }, outputs: [], stdout: text })],
    text,
  );
  expectWellFormed(xml);
  expect(xml.split('\n').filter((line) => /^\s*(?:::|##\[)/.test(line))).toEqual([]);
  expect(xml).toContain('&#58;:error::second');
});

test('no temporary file stays behind, however the replay ends', async () => {
  const left = () => readdirSync(tmpdir()).filter((name) => name.startsWith(`fir-junit-${process.pid}-`));
  await report([resultOf(1)]);
  const abandoned = new JunitReporter(textSink());
  await abandoned.onCallEnd(resultOf(1));
  await abandoned.abandon();
  expect(left()).toEqual([]);
});
