import { expect, test } from 'vitest';
import { failureFrom } from '../../src/cli/failure.js';
import { FirError } from '../../src/core/errors.js';
import { JsonReporter } from '../../src/report/json.js';
import { jsonText } from '../../src/report/json-text.js';
import { expectValid } from '../support/schema.js';
import { BEGIN, HOSTILE, mismatching, resultOf, summaryOf, textSink } from './replay-results.js';

test('a replay is one document that its schema holds for', async () => {
  const sink = textSink();
  const reporter = new JsonReporter(sink);
  await reporter.onBegin({ ...BEGIN, notes: ['recorded in /app'] });
  await reporter.onCallEnd(resultOf(1, { function: HOSTILE }));
  await reporter.onCallEnd(
    resultOf(2, {
      verdict: 'mismatch',
      outputs: [
        mismatching(),
        {
          key: 'x',
          kind: 'value',
          verdict: 'mismatch',
          actual: 2n ** 64n,
          expected: { type: 'dict', items: [Number.NaN] },
        },
      ],
      repeats: { runs: 3, differing: [{ key: 'result', elements: 1, maxAbs: Number.NaN }] },
    }),
  );
  await reporter.onEnd(summaryOf({ calls: 2, pass: 1, mismatch: 1, exitCode: 1 }));
  const document = JSON.parse(sink.text);
  expectValid(document);
  expect(document.calls[0].function).toBe(HOSTILE);
  expect(document.calls[1].outputs[0].maxRel.value).toBe('Infinity');
  expect(sink.text).toContain('"actual":18446744073709551616');
});

test('calls are written as they end, not kept', async () => {
  const sink = textSink();
  const reporter = new JsonReporter(sink);
  await reporter.onBegin(BEGIN);
  await reporter.onCallEnd(resultOf(1));
  expect(sink.text).toContain('"call":1');
});

test('an empty replay is a document too', async () => {
  const sink = textSink();
  const reporter = new JsonReporter(sink);
  await reporter.onBegin({ ...BEGIN, calls: 0 });
  await reporter.onEnd(summaryOf({ exitCode: 3 }));
  expectValid(JSON.parse(sink.text));
});

test('a replay that breaks off ends its document with the error', async () => {
  const sink = textSink();
  const reporter = new JsonReporter(sink);
  await reporter.onBegin(BEGIN);
  await reporter.onCallEnd(resultOf(1));
  const isTold = await reporter.abandon(failureFrom(new FirError('WORKER_FAILED', 'the worker broke off')));
  const document = JSON.parse(sink.text);
  expectValid(document);
  expect({ isTold, error: document.error, calls: document.calls.length }).toEqual({
    isTold: true,
    error: { code: 'WORKER_FAILED', message: 'the worker broke off' },
    calls: 1,
  });
});

test('a replay that never began leaves stdout to whoever reports the failure', async () => {
  const sink = textSink();
  expect(await new JsonReporter(sink).abandon(failureFrom(new Error('x')))).toBe(false);
  expect(sink.text).toBe('');
});

test.each([
  [-0, '-0'],
  [Number.NaN, '"NaN"'],
  [Number.NEGATIVE_INFINITY, '"-Infinity"'],
  [2n ** 63n, '9223372036854775808'],
  [{ a: undefined, b: [null, true, 'ü'] }, '{"b":[null,true,"ü"]}'],
  [[undefined], '[null]'],
])('%o becomes %s', (value, text) => {
  expect(jsonText(value)).toBe(text);
});
