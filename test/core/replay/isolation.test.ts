import { beforeAll, describe, expect, test } from 'vitest';
import {
  APP,
  builtWorker,
  callOf,
  floats,
  type ModuleCall,
  replay,
  temporaryFolder,
  UNDEFINED,
} from '../../support/replay-session.js';
import { type WrittenCall, writeSession } from '../../support/session-writer.js';

beforeAll(builtWorker);

const FINE: ModuleCall = {
  module: 'hazards.mjs',
  inputs: { arg_0: floats(1) },
  outputs: { result: floats(2) },
};
const fine = () => callOf('fine', FINE);

/** Four good calls around one that is not. */
function around(hazard: WrittenCall): string {
  const dir = temporaryFolder('isolation');
  writeSession(dir, [fine(), hazard, fine(), fine(), fine()]);
  return dir;
}

function hazard(functionName: string, call: ModuleCall = {}): string {
  const output = call.outputs === undefined ? { outputMetadata: UNDEFINED } : {};
  return around(callOf(functionName, { module: 'hazards.mjs', ...output, ...call }));
}

describe('a call that ends its process costs its own verdict only', () => {
  test.each([
    ['segfault', 'SIGSEGV'],
    ['abort', 'SIGABRT'],
    ['leave', 'exited with code 3'],
    ['closesPipes', 'exited with code 97'],
    ['closesEverything', 'SIGABRT'],
    ['throwsLater', 'uncaught TypeError: later'],
  ])('%s', async (functionName, reason) => {
    const { verdicts, results, summary } = await replay(hazard(functionName));
    expect(verdicts).toEqual(['1 pass', '2 crashed', '3 pass', '4 pass', '5 pass']);
    expect(results[1]?.reason).toBe(reason);
    expect(summary).toMatchObject({ pass: 4, crashed: 1, exitCode: 1 });
  });

  test.each(['loop', 'neverSettles'])('%s', async (functionName) => {
    const { verdicts, results, summary } = await replay(hazard(functionName), { timeoutMs: 3000 });
    expect(verdicts).toEqual(['1 pass', '2 timeout', '3 pass', '4 pass', '5 pass']);
    expect(results[1]?.reason).toBe('did not end in time');
    expect(summary).toMatchObject({ pass: 4, timeout: 1, exitCode: 1 });
  });

  test('a module that ends the process while it is loaded', async () => {
    const { verdicts, results } = await replay(hazard('anything', { module: 'exits.mjs' }));
    expect(verdicts).toEqual(['1 pass', '2 crashed', '3 pass', '4 pass', '5 pass']);
    expect(results[1]?.reason).toBe('exited with code 5 while its code and tensors were loaded');
  });
});

test('a call during which something left by an earlier one ends the process is not blamed for it', async () => {
  const dir = temporaryFolder('isolation');
  const slow = callOf('waitLong', { ...FINE, fir: { async: true } });
  writeSession(dir, [callOf('exitsLater', FINE), slow, fine()]);
  const { verdicts, results, summary } = await replay(dir);
  expect(verdicts).toEqual(['1 pass', '2 unstable', '3 pass']);
  expect(results[1]?.reason).toBe(
    'the worker ended (exited with code 4) while it ran, but not when it ran again alone: an earlier call may be to blame',
  );
  expect(summary.exitCode).toBe(3);
});

describe('a call that crashed when it was recorded', () => {
  test('is reproduced when it crashes again', async () => {
    const { results } = await replay(hazard('segfault', { status: 'inputs_saved', outputMetadata: {} }));
    expect(results[1]).toMatchObject({ verdict: 'crashed', reason: 'SIGSEGV', reproduced: true });
  });
});

describe('what the called code does besides', () => {
  test('noise on any descriptor does not disturb the replay, and is kept where asked for', async () => {
    const dir = hazard('noisy', FINE);
    const { verdicts, results } = await replay(dir, { debug: true });
    expect(verdicts).toEqual(['1 pass', '2 pass', '3 pass', '4 pass', '5 pass']);
    expect(results[1]?.stdout).toMatch(/^… \d+ bytes before this\n/);
    expect(results[1]?.stdout?.length).toBeLessThan(70_000);
    expect(results[1]?.stderr).toBe('a warning\n');
    expect(results[2]?.stdout).toBeUndefined();
    const { results: quiet } = await replay(dir);
    expect(quiet[1]?.stdout).toBeUndefined();
  });

  test('output of a call that fails is told', async () => {
    const { results } = await replay(hazard('noisy', { ...FINE, outputs: { result: floats(3) } }));
    expect(results[1]).toMatchObject({ verdict: 'mismatch', stderr: 'a warning\n' });
  });

  test('a rejection or throw on the side is a note', async () => {
    const dir = temporaryFolder('isolation');
    writeSession(dir, [
      callOf('rejectsAside', FINE),
      callOf('throwsAside', { ...FINE, fir: { async: true } }),
      callOf('wait', { ...FINE, fir: { async: true } }),
      callOf('wait', { ...FINE, fir: { async: true } }),
    ]);
    const { verdicts, results } = await replay(dir);
    expect(verdicts).toEqual(['1 pass', '2 pass', '3 pass', '4 pass']);
    const notes = results.flatMap((result) => result.notes ?? []);
    expect(notes).toEqual([
      'unhandled rejection: Error: aside',
      'uncaught exception after a call: Error: aside',
    ]);
  });

  test('workers see the user environment without what would record the replay', async () => {
    const before = { ...process.env };
    Object.assign(process.env, {
      FIR_LOGLEVEL: '10',
      NODE_OPTIONS: '--no-warnings --require "/x y/dist/preload/register.cjs" --stack-trace-limit=20',
    });
    try {
      const seen = { fir: [], nodeOptions: '--no-warnings --stack-trace-limit=20', cwd: APP, argv: 2 };
      const { results } = await replay(
        around(
          callOf('environment', { module: 'hazards.mjs', outputMetadata: { result: JSON.stringify(seen) } }),
        ),
      );
      expect(results[1]).toMatchObject({ verdict: 'pass' });
    } finally {
      process.env = before;
    }
  });
});

describe('workers', () => {
  test('that can not start are an error with what they said', async () => {
    await expect(replay(around(fine()), { nodeOptions: ['--no-such-option'] })).rejects.toMatchObject({
      code: 'WORKER_FAILED',
      message: expect.stringContaining('bad option: --no-such-option'),
    });
  });

  test('get the options of --node-option', async () => {
    const { verdicts } = await replay(
      hazard('execArgv', { outputMetadata: { result: '--no-deprecation' } }),
      {
        nodeOptions: ['--no-deprecation'],
      },
    );
    expect(verdicts[1]).toBe('2 pass');
  });

  test('are killed when the replay is interrupted', async () => {
    const abort = new AbortController();
    const { summary, results } = await replay(hazard('loop'), { signal: abort.signal }, ({ call }) => {
      if (call === 2) setTimeout(() => abort.abort(), 100);
    });
    expect(results.map(({ call }) => call)).toEqual([1]);
    expect(summary).toMatchObject({ calls: 5, pass: 1, exitCode: 130 });
  });

  test('run at once with more jobs, one for each process with objects', async () => {
    const dir = temporaryFolder('jobs');
    const calls = [11, 12].flatMap((pid) => [
      callOf('Summer.__init__', { pid, selfId: 1, inputMetadata: { arg_0: pid } }),
      callOf('Summer.total', { pid, selfId: 1, outputMetadata: { result: pid } }),
    ]);
    writeSession(dir, calls);
    const { verdicts } = await replay(dir, { jobs: 4 });
    expect(verdicts.sort()).toEqual(['1 ran', '2 pass', '3 ran', '4 pass']);
  });
});
