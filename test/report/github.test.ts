import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { GithubReporter } from '../../src/report/github.js';
import { makeTempDir } from '../support/temp-dir.js';
import { HOSTILE, mismatching, resultOf, summaryOf, textSink } from './replay-results.js';

test('a mismatch is an error annotation with its numbers, the summary one of its own', async () => {
  const sink = textSink();
  const reporter = new GithubReporter(sink);
  await reporter.onCallEnd(resultOf(1));
  await reporter.onCallEnd(
    resultOf(2, { verdict: 'mismatch', reason: '1 of 1 output', outputs: [mismatching()] }),
  );
  await reporter.onCallEnd(resultOf(3, { verdict: 'unchecked', reason: 'nothing recorded', outputs: [] }));
  await reporter.onEnd(summaryOf({ calls: 3, pass: 1, mismatch: 1, unchecked: 1, exitCode: 1 }));
  const lines = sink.text.trimEnd().split('\n');
  expect(lines[0]).toMatch(
    /^::error title=fir replay%3A call 2 gemm::mismatch: 1 of 1 output%0Aresult float32\[2,256\]: 3 of 512 elements differ%0A/,
  );
  expect(lines[1]).toBe('::warning title=fir replay%3A call 3 gemm::unchecked: nothing recorded');
  expect(lines[2]).toMatch(/^::error title=fir replay::1 passed, .* of 3 calls/);
  expect(lines).toHaveLength(3);
});

test('a hostile name ends no command and begins none', async () => {
  const sink = textSink();
  const reporter = new GithubReporter(sink);
  await reporter.onCallEnd(
    resultOf(1, { function: HOSTILE, reason: HOSTILE, verdict: 'error', outputs: [] }),
  );
  const lines = sink.text.trimEnd().split('\n');
  expect(lines).toHaveLength(1);
  const [, properties = '', message = ''] = /^::error (title=.*?)::(.*)$/.exec(lines[0] ?? '') ?? [];
  expect(properties).not.toMatch(/[,\r\n]|:(?!:)/);
  expect(message).not.toMatch(/[\r\n\u001b\u0000]/);
});

test('annotations are bounded, and the count is still told', async () => {
  const sink = textSink();
  const reporter = new GithubReporter(sink);
  for (let call = 1; call <= 50; call += 1) {
    await reporter.onCallEnd(resultOf(call, { verdict: 'mismatch', outputs: [] }));
  }
  await reporter.onEnd(summaryOf({ calls: 50, mismatch: 50, exitCode: 1 }));
  const lines = sink.text.trimEnd().split('\n');
  expect(lines).toHaveLength(11);
  expect(lines.at(-1)).toContain('50 mismatches');
});

test("the job's summary page gets a table, added to what is there", async () => {
  const path = join(makeTempDir(), 'summary.md');
  writeFileSync(path, '# before\n');
  const reporter = new GithubReporter(textSink(), path);
  await reporter.onCallEnd(resultOf(2, { function: 'a|b<script>', verdict: 'mismatch', outputs: [] }));
  await reporter.onEnd(summaryOf({ calls: 1, mismatch: 1, exitCode: 1 }));
  expect(readFileSync(path, 'utf8')).toMatchInlineSnapshot(`
    "# before
    ### fir replay

    0 passed, 0 ran, 1 mismatch, 0 skipped of 1 call (0 outputs compared)

    | call | function | verdict | reason |
    | ---: | --- | --- | --- |
    | 2 | a\\|b\\<script\\> | mismatch |  |
    "
  `);
});
