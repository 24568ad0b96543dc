import { expect, test } from 'vitest';
import { failureFrom } from '../../src/cli/failure.js';
import type { ReportWriter } from '../../src/report/contract.js';
import { Multiplexer } from '../../src/report/multiplexer.js';
import { BEGIN, resultOf, summaryOf } from './replay-results.js';

const HOOKS = ['onBegin', 'onCallBegin', 'onCallEnd', 'onEnd'] as const;

/** Remembers what it is told, and fails at one hook. */
function reporter(name: string, failsAt?: (typeof HOOKS)[number]) {
  const told: string[] = [];
  const hear = (hook: (typeof HOOKS)[number]) => () => {
    told.push(hook);
    if (hook === failsAt) throw new Error('disk full');
  };
  const writer: ReportWriter & { told: string[] } = {
    name,
    told,
    ...Object.fromEntries(HOOKS.map((hook) => [hook, hear(hook)])),
    abandon: async () => {
      told.push('abandon');
      return name === 'json';
    },
  };
  return writer;
}

async function runAll(multiplexer: Multiplexer): Promise<void> {
  await multiplexer.onBegin(BEGIN);
  multiplexer.onCallBegin({ call: 1, dump: 'd', function: 'f', pid: 1 });
  await multiplexer.onCallEnd(resultOf(1));
  await multiplexer.onEnd(summaryOf());
}

test.each(HOOKS)('a reporter that fails at %s is told nothing more, the others everything', async (hook) => {
  const bad = reporter('junit', hook);
  const good = reporter('json');
  const multiplexer = new Multiplexer([bad, good]);
  await runAll(multiplexer);
  expect(good.told).toEqual([...HOOKS]);
  expect(bad.told).toEqual(HOOKS.slice(0, HOOKS.indexOf(hook) + 1));
  expect(multiplexer.failure).toMatchObject({
    code: 'REPORT_FAILED',
    message: 'the junit report failed: disk full',
  });
});

test('without a failure there is none', async () => {
  const multiplexer = new Multiplexer([reporter('json')]);
  await runAll(multiplexer);
  expect(multiplexer.failure).toBeUndefined();
});

test('an abandoned replay is told to all, and whether one of them tells it', async () => {
  const failure = failureFrom(new Error('x'));
  const pretty = reporter('pretty');
  expect(await new Multiplexer([pretty, reporter('json')]).abandon(failure)).toBe(true);
  expect(await new Multiplexer([reporter('junit')]).abandon(failure)).toBe(false);
  expect(pretty.told).toEqual(['abandon']);
});

test('a slow reporter holds the replay back', async () => {
  let isWritten = false;
  const slow: ReportWriter = {
    name: 'slow',
    onCallEnd: () =>
      new Promise((resolve) =>
        setTimeout(() => {
          isWritten = true;
          resolve();
        }, 10),
      ),
    abandon: async () => false,
  };
  await new Multiplexer([slow]).onCallEnd(resultOf(1));
  expect(isWritten).toBe(true);
});
