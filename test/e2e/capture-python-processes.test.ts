import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { CallEntry, Session } from '../../src/core/session/index.js';
import { nodeUnderTest, type ProcessResult, temporaryDirectory } from '../support/fir.js';
import { indexLines, program } from './captured.js';
import {
  captureIn,
  namesIn,
  PLAIN,
  type PythonTools,
  programOutput,
  pythonTools,
  sessionIn,
} from './captured-python.js';

let tools: PythonTools;
beforeAll(async () => {
  tools = await pythonTools();
}, 900_000);

async function capture(
  command: readonly string[],
): Promise<{ result: ProcessResult; session: Session; path: string }> {
  const directory = temporaryDirectory();
  const result = await captureIn(directory, command, { env: tools.env });
  return { result, session: sessionIn(directory), path: join(directory, 'session') };
}

/** Names of the calls of each recorder. */
function byRecorder(session: Session): { fir: string[]; flashinfer: string[] } {
  const isFir = (call: CallEntry): boolean => session.readRecord(call).fir !== undefined;
  return {
    fir: session.calls.filter(isFir).map((call) => call.functionName),
    flashinfer: session.calls.filter((call) => !isFir(call)).map((call) => call.functionName),
  };
}

describe('a program of Node and Python', () => {
  it('that begins in Node leaves one session, each call by the recorder of its language', async () => {
    const command = [nodeUnderTest, program('scale-once.cjs'), ...tools.command('plain')];
    const { result, session } = await capture(command);
    expect(result.code).toBe(0);
    expect(programOutput(result)).toBe('3,6\ndone\n');
    expect(session.producer).toBe('mixed');
    expect(byRecorder(session)).toEqual({ fir: ['scale'], flashinfer: PLAIN });
    expect(session.unreadableCount).toBe(0);
    const pid = session.calls.find((call) => call.functionName === 'topk')?.pid;
    expect(result.stderr).toContain('fir: 4 calls recorded (4 completed, 0 failed, 0 unfinished)');
    expect(result.stderr).toContain(
      `fir: 3 calls in Python by FlashInfer (pid ${pid}: 3), 1 call in Node by fir (1 thread)\n`,
    );
  });

  it('that begins in Python does so too', async () => {
    const { result, session } = await capture(tools.command('plain', 'node'));
    expect(programOutput(result)).toContain('3,6\n');
    expect(byRecorder(session)).toEqual({ fir: ['scale'], flashinfer: PLAIN });
    expect(session.processes.size).toBe(1);
  });

  it('whose parts write at once loses no record and glues none together', async () => {
    const command = [nodeUnderTest, program('notes-beside.cjs'), ...tools.command('notes')];
    const { session, path, result } = await capture(command);
    expect(result.code).toBe(0);
    const { fir, flashinfer } = byRecorder(session);
    expect(flashinfer).toHaveLength(200);
    expect(fir.length).toBeGreaterThanOrEqual(200);
    expect(session.unreadableCount).toBe(0);
    expect(session.calls.every((call) => call.status === 'completed')).toBe(true);
    const writers = indexLines(path).map((line) => JSON.parse(line).fir !== undefined);
    expect(writers).toHaveLength(2 * session.calls.length);
    const turns = writers.filter((isFir, index) => index > 0 && isFir !== writers[index - 1]);
    expect(turns.length).toBeGreaterThan(10);
  });
});

describe('Python processes', () => {
  it('that a shell script starts are recorded', async () => {
    const script = join(temporaryDirectory(), 'serve.sh');
    const words = tools.command('plain').map((word) => `'${word}'`);
    writeFileSync(script, `#!/bin/sh\ncd /\nexec ${words.join(' ')}\n`, { mode: 0o755 });
    const { session, result } = await capture([script]);
    expect(programOutput(result)).toBe('done\n');
    expect(namesIn(session)).toEqual(PLAIN);
  });

  it('that others start are told apart', async () => {
    const { session, result } = await capture(tools.command('plain', 'child'));
    const [first, second, ...more] = [...new Set(session.calls.map((call) => call.pid))];
    expect([namesIn(session), more]).toEqual([[...PLAIN, ...PLAIN], []]);
    expect(result.stderr).toContain(`6 calls in Python by FlashInfer (pid ${first}: 3, pid ${second}: 3)\n`);
  });
});

describe('a Python program that ends abruptly', () => {
  it('gives its exit code', async () => {
    const { result, session } = await capture(tools.command('plain', '7'));
    expect(result).toMatchObject({ code: 7, signal: null });
    expect(namesIn(session)).toEqual(PLAIN);
  });

  it.each([
    ['hang', 'SIGKILL', [...PLAIN, 'hang']],
    ['abort', 'SIGABRT', PLAIN],
    ['stop_fir', 'SIGTERM', PLAIN],
  ])('leaves a session that can be read, and its signal (%s)', async (step, signal, names) => {
    const { result, session } = await capture(tools.command('plain', step));
    expect(result).toMatchObject({ code: null, signal });
    expect(namesIn(session)).toEqual(names);
    expect(session.unreadableCount).toBe(0);
    const unfinished = session.calls.filter((call) => call.status === 'inputs_saved');
    expect(unfinished.map((call) => call.functionName)).toEqual(names.slice(PLAIN.length));
    expect(result.stderr).toContain(
      `${names.length} calls recorded (3 completed, 0 failed, ${names.length - 3} unfinished)`,
    );
  });
});

describe('an index that ends in the middle of a record', () => {
  it('loses nothing when the next capture adds to it', async () => {
    const directory = temporaryDirectory();
    await captureIn(directory, tools.command('plain'), { env: tools.env });
    appendFileSync(join(directory, 'session', 'session.jsonl'), '{"function_name": "torn');
    await captureIn(directory, tools.command('plain'), { env: tools.env });
    const session = sessionIn(directory);
    expect(namesIn(session)).toEqual([...PLAIN, ...PLAIN]);
    expect([session.records, session.unreadableCount]).toEqual([12, 1]);
  });

  it('while the program runs swallows a record of FlashInfer’s, which its dump still has', async () => {
    const { session, result } = await capture(tools.command('plain', 'tear', 'plain'));
    expect(session.unreadableCount).toBe(1);
    expect(namesIn(session).sort()).toEqual([...PLAIN, ...PLAIN].sort());
    expect(session.calls.every((call) => call.status === 'completed')).toBe(true);
    expect(result.stderr).toContain('6 calls recorded (6 completed, 0 failed, 0 unfinished)');
  });
});
