import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryDirectory } from '../support/fir.js';
import { pythonWithTorch } from '../support/python.js';
import { replayJson } from '../support/replay-json.js';
import { tensorOf, writeSession } from '../support/session-writer.js';

const CALLS = 40;
const TIMEOUT_MS = 600_000;

/** Small calls of functions without state, which a worker is given before the ones in front of them are compared. */
const MODULE = `
import ctypes, os, time

def step(number, x):
    print("printed by", number)
    if number == 5:
        ctypes.string_at(0)
    if number == 12:
        os._exit(3)
    if number == 13:
        time.sleep(600)
    if number == 30:
        raise ValueError("not this one")
    if number in (8, 31):
        return x + 2
    with open(os.environ["STEPS"], "a") as log:
        log.write(f"{number}\\n")
    return x + 1
`;

function write(folder: string): string {
  writeFileSync(join(folder, 'fir_steps.py'), MODULE);
  const session = join(folder, 'session');
  const calls = Array.from({ length: CALLS }, (_, index) => ({
    functionName: 'step',
    module: 'fir_steps',
    inputs: { arg_1: tensorOf('float32', [index, 0.5]) },
    inputMetadata: { arg_0: index + 1 },
    outputs: { result: tensorOf('float32', [index + 1, 1.5]) },
    record: {
      tensor_info: {
        input_tensor_keys: ['arg_1'],
        output_tensor_keys: ['result'],
        input_size_bytes: 8,
        output_size_bytes: 8,
      },
    },
  }));
  writeSession(session, calls, { foreign: true });
  return session;
}

it(
  'blames each call alone, also where the worker has the next ones already',
  async () => {
    const folder = temporaryDirectory();
    const session = write(folder);
    const python = await pythonWithTorch();
    const flags = ['--python', python, '--pythonpath', folder, '--allow', 'fir_steps', '--device', 'cpu'];
    const steps = join(folder, 'steps');
    const document = await replayJson(session, [...flags, '--timeout', '3'], {
      env: { ...process.env, STEPS: steps },
    });
    expect(document.verdicts.filter((verdict) => !verdict.endsWith('pass'))).toEqual([
      '5 crashed',
      '8 mismatch',
      '12 crashed',
      '13 timeout',
      '30 error',
      '31 mismatch',
    ]);
    for (const { call, verdict, stdout } of document.calls) {
      expect(stdout).toBe(verdict === 'pass' ? undefined : `printed by ${call}\n`);
    }
    const passed = document.calls.filter(({ verdict }) => verdict === 'pass').map(({ call }) => String(call));
    expect(readSteps(steps)).toEqual(passed);
    expect(document.calls[4]?.reason).toContain('SIGSEGV');
    expect(document.calls[11]?.reason).toContain('exited with code 3');
    expect(document.calls[7]?.outputs[0]).toMatchObject({ verdict: 'mismatch', mismatched: 2 });

    // With --fail-fast nothing is run behind the failure, not even by a worker that could have begun it.
    const fastSteps = join(folder, 'fast');
    const fast = await replayJson(session, [...flags, '--fail-fast', '--call', '1-3,30-40'], {
      env: { ...process.env, STEPS: fastSteps },
    });
    expect(fast.verdicts.slice(0, 4)).toEqual(['1 pass', '2 pass', '3 pass', '30 error']);
    expect(fast.summary).toMatchObject({ pass: 3, error: 1, skipped: 10 });
    expect(readSteps(fastSteps)).toEqual(['1', '2', '3']);
  },
  TIMEOUT_MS,
);

function readSteps(file: string): string[] {
  return readFileSync(file, 'utf8').trim().split('\n');
}
