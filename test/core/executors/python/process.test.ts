import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pythonWithTorch } from '../../../support/python.js';
import {
  bytesOfFrame,
  floats,
  floatsOf,
  MARK,
  PythonWorkerClient,
  WORKER,
} from '../../../support/python-worker.js';
import { makeTempDir } from '../../../support/temp-dir.js';

const [ONE, ONE_BYTES] = floats([1]);
const ON_ONE = { tensors: { arg_0: ONE }, storages: [ONE_BYTES] };

let worker: PythonWorkerClient;
beforeAll(async () => {
  worker = await PythonWorkerClient.start();
});
afterAll(() => worker.close());

describe('output', () => {
  it('of every kind is told apart call by call', async () => {
    const spoken = await worker.run({ function: 'speak' });
    expect(spoken.outcome.end).toBe('returned');
    for (const part of ['printed\n', 'from C ', 'from a thread\n', 'written ', 'from a child\n'])
      expect(spoken.stdout).toContain(part);
    expect(spoken.stderr).toBe('to stderr');
    const silent = await worker.run({ function: 'twice', ...ON_ONE });
    expect([silent.stdout, silent.stderr]).toEqual(['', '']);
  });

  it('of a module that speaks while it is imported is of the first call', async () => {
    const first = await worker.run({ module: 'worker_noisy', function: 'twice', ...ON_ONE });
    expect(first.stdout).toBe('imported noisily\n');
    expect(first.phases).toEqual(['invoke']);
    expect((await worker.run({ module: 'worker_noisy', function: 'twice', ...ON_ONE })).stdout).toBe('');
  });

  it('is marked though the call closed and replaced all that it could', async () => {
    const other = await PythonWorkerClient.startForTest();
    expect((await other.run({ function: 'replace_stdout' })).outcome.end).toBe('returned');
    expect(floatsOf(await other.run({ function: 'twice', ...ON_ONE }))).toEqual([2]);
  });

  it('has the first descriptors; those of the protocol are out of the way', async () => {
    const { outcome } = await worker.run({ function: 'answer_descriptors' });
    expect(outcome.result).toMatchObject({ items: expect.arrayContaining([0, 1, 2]) });
    expect((outcome.result as { items: number[] }).items).not.toContain(4);
  });
});

describe('what a call raises is its own', () => {
  it.each([
    ['exit', 'SystemExit', 'enough'],
    ['interrupt', 'KeyboardInterrupt', ''],
    ['generator exit', 'GeneratorExit', 'closed'],
    ['value', 'ValueError', 'bad value'],
    ['recursion', 'RecursionError', 'maximum recursion depth exceeded'],
    ['unprintable', 'Unprintable', '<its message could not be made>'],
    ['cause', 'ValueError', 'no such thing'],
  ])('%s', async (kind, name, message) => {
    const { outcome, phases } = await worker.run({ function: 'fail', input: { arg_0: kind } });
    expect(outcome).toMatchObject({
      end: 'threw',
      error: { name, message: expect.stringContaining(message) },
    });
    expect(outcome.error?.stack).toContain(name);
    expect(outcome.error?.stack).not.toContain('fir_replay');
    expect(phases).toEqual(['invoke']);
  });

  it('with the exception that caused it', async () => {
    const { outcome } = await worker.run({ function: 'fail', input: { arg_0: 'cause' } });
    expect(outcome.error?.stack).toContain("KeyError: 'missing'");
    expect(outcome.error?.stack).toContain('worker_demo.py');
  });

  it('a wrong number of arguments too', async () => {
    const { outcome } = await worker.run({ function: 'twice' });
    expect(outcome).toMatchObject({ end: 'threw', error: { name: 'TypeError' } });
  });
});

describe('a process that ends inside a call says nothing', () => {
  it.each([
    ['exit', 7],
    ['segfault', 'SIGSEGV'],
    ['abort', 'SIGABRT'],
  ])('%s', async (how, expected) => {
    const other = await PythonWorkerClient.startForTest();
    const { message, payload } = other.request({ function: 'end', input: { arg_0: how } });
    other.send(message, payload);
    expect((await other.frame()).json).toContain('"invoke"');
    expect(await other.exited).toBe(expected);
    await expect(other.frame()).rejects.toThrow('the worker ended');
  });

  it('nor does one that ends while a module is imported', async () => {
    const other = await PythonWorkerClient.startForTest();
    const { message, payload } = other.request({ module: 'worker_deadly', function: 'f' });
    other.send(message, payload);
    expect(await other.exited).toBe(11);
  });

  it('a forked copy that comes back from the call leaves the pipes alone', async () => {
    const { outcome } = await worker.run({ function: 'end', input: { arg_0: 'fork' } });
    expect(outcome.result).toBe(worker.child.pid);
    expect(floatsOf(await worker.run({ function: 'twice', ...ON_ONE }))).toEqual([2]);
  });
});

describe('frames', () => {
  it('may come in pieces of any size', async () => {
    const { message, payload } = worker.request({ function: 'twice', ...ON_ONE });
    const bytes = bytesOfFrame(message, payload);
    for (const cut of [1, 15, 16, 17, 20, 28, 29, bytes.length - 1]) {
      worker.requests.write(bytes.subarray(0, cut));
      await sleep(2);
      worker.requests.write(bytes.subarray(cut));
      expect(floatsOf(await worker.outcome())).toEqual([2]);
    }
    worker.requests.write(Buffer.concat([bytes, bytes, bytes]));
    for (let index = 0; index < 3; index += 1) expect(floatsOf(await worker.outcome())).toEqual([2]);
  });

  it('that are none end the process', async () => {
    const other = await PythonWorkerClient.startForTest();
    other.requests.write(Buffer.alloc(100, 1));
    expect(await other.exited).toBe(1);
    expect(other.output.stderr).toContain('is no frame');
  });

  it('that end in the middle end the process', async () => {
    const other = await PythonWorkerClient.startForTest();
    const { message, payload } = other.request({ function: 'twice', ...ON_ONE });
    other.requests.end(bytesOfFrame(message, payload).subarray(0, -1));
    expect(await other.exited).toBe(1);
  });

  it('that end between two calls end the process well', async () => {
    const other = await PythonWorkerClient.start();
    expect(await other.close()).toBe(0);
  });
});

describe('setting up', () => {
  async function failure(setup: Record<string, unknown>, env: NodeJS.ProcessEnv = {}): Promise<unknown> {
    const other = new PythonWorkerClient(await pythonWithTorch(), { env });
    other.send(other.setup(setup));
    const answer = JSON.parse((await other.frame()).json);
    expect(await other.exited).toBe(1);
    return answer;
  }

  it('tells what there is', async () => {
    const other = new PythonWorkerClient(await pythonWithTorch());
    other.send(other.setup());
    const answer = JSON.parse((await other.frame()).json);
    expect(answer).toMatchObject({ type: 'ready', device: 'cpu', devices: expect.any(Array) });
    expect(answer.python).toMatch(/^3\.\d+\.\d+/);
    expect(answer.versions.torch).toBe(answer.torch);
    await other.close();
  });

  it('fails where a device is not there', async () => {
    expect(await failure({ device: 'cuda:99' })).toMatchObject({ type: 'failed', code: 'DEVICE_MISSING' });
    expect(await failure({ device: 'tpu' })).toMatchObject({
      code: 'DEVICE_MISSING',
      message: expect.stringContaining('device tpu is not there: torch sees'),
    });
  });

  it('fails where torch is not there, or is none', async () => {
    const folder = makeTempDir();
    writeFileSync(`${folder}/torch.py`, 'raise ImportError("libfoo.so: cannot open")');
    expect(await failure({ python_path: [folder] })).toEqual({
      type: 'failed',
      code: 'PYTHON_FAILED',
      message: 'torch could not be imported: ImportError: libfoo.so: cannot open',
    });
    writeFileSync(
      `${folder}/torch.py`,
      'raise ModuleNotFoundError("No module named \'torch\'", name="torch")',
    );
    expect(await failure({ python_path: [folder] })).toMatchObject({ code: 'PYTHON_NO_TORCH' });
    writeFileSync(`${folder}/torch.py`, '__version__ = "1.10.2"; cuda = frombuffer = None');
    expect(await failure({ python_path: [folder] })).toMatchObject({
      message: 'torch 1.10.2 is too old: calls need 1.13 or newer',
    });
  });
});

it('ends with its parent, though it is inside a call and its pipes are still open', async () => {
  const python = await pythonWithTorch();
  const parent = spawn(process.execPath, ['-e', PARENT, python, WORKER, MARK], {
    stdio: ['ignore', 'pipe', 'inherit', 'pipe', 'pipe'],
  });
  const [, pidOutput, , requests, answers] = parent.stdio as [null, Readable, null, Writable, Readable];
  const pid = Number(String((await once(pidOutput, 'data'))[0]));
  const { message, payload } = worker.request({ function: 'end', input: { arg_0: 'hang' } });
  requests.write(bytesOfFrame(worker.setup()));
  requests.write(bytesOfFrame(message, payload));
  let answered = '';
  while (!answered.includes('"invoke"')) answered += String((await once(answers, 'data'))[0]);
  expect(isAlive(pid)).toBe(true);
  parent.kill('SIGKILL');
  await once(parent, 'exit');
  while (isAlive(pid)) await sleep(20);
});

/** Starts a worker on the pipes that it was given, which the test holds open. */
const PARENT = `
const { spawn } = require('node:child_process');
const [python, worker, mark] = process.argv.slice(1);
const child = spawn(python, [worker, mark, String(process.pid)], { stdio: ['ignore', 'ignore', 'ignore', 3, 4] });
process.stdout.write(String(child.pid));
setInterval(() => {}, 1000);
`;

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
