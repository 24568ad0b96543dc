import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  firBin,
  nodeUnderTest,
  type ProcessResult,
  runFir,
  runProcess,
  temporaryDirectory,
} from '../support/fir.js';
import { program, readCaptured } from './captured.js';

const FAILED = /fir could not record a call \(([^)]*)\)/g;

/** Runs the program that breaks its own session. `limits` are set by a shell before. */
async function capture(how: string, limits = ':'): Promise<{ result: ProcessResult; session: string }> {
  const session = join(temporaryDirectory(), 'session');
  const command = [nodeUnderTest, firBin, 'capture', '-o', session, '--', nodeUnderTest];
  const quoted = [...command, program('break-session.cjs'), how].map((word) => `'${word}'`).join(' ');
  const result = await runProcess('bash', ['-c', `${limits}; ${quoted}`], { env: { SESSION: session } });
  return { result, session };
}

function failures(result: ProcessResult): string[] {
  return [...result.stderr.matchAll(FAILED)].map((match) => match[1] ?? '');
}

describe('a recorder that can not go on never breaks the program, and says so once', () => {
  it.each([
    ['removed', 'ENOENT'],
    ['moved', 'ENOENT'],
    ['replaced by a file', 'ENOTDIR'],
  ])('its directory is %s', async (how, code) => {
    const { result } = await capture(how);
    expect(result).toMatchObject({ code: 0, stdout: '1\n30 20000\n' });
    expect(failures(result)).toEqual([expect.stringContaining(code)]);
  });

  it('files may grow no more', async () => {
    const { result, session } = await capture('limited', 'ulimit -f 100');
    expect(result).toMatchObject({ code: 0, stdout: '1\n30 20000\n' });
    expect(failures(result)).toEqual([expect.stringContaining('EFBIG')]);
    expect(result.stderr).toMatch(/fir: \d+ calls could not be recorded:\n/);
    const { calls, processes, withoutRecord } = readCaptured(session);
    expect(calls.length).toBeGreaterThan(2);
    expect(calls.every((call) => call.status === 'completed')).toBe(true);
    expect(withoutRecord).toBe(0);
    expect(processes[0]?.errors).toEqual([
      { message: expect.stringContaining('EFBIG'), count: 32 - calls.length },
    ]);
    expect(statSync(join(session, 'session.jsonl')).size).toBeLessThanOrEqual(100 * 1024);
  });

  it('the program has few file descriptors, and many recorded calls inside one another', async () => {
    const session = join(temporaryDirectory(), 'session');
    const command = [nodeUnderTest, firBin, 'capture', '-o', session, '--', nodeUnderTest];
    const quoted = [...command, program('use-recorded-functions.mjs')].map((word) => `'${word}'`).join(' ');
    const result = await runProcess('bash', ['-c', `ulimit -n 60; ${quoted}`]);
    expect(result.code).toBe(0);
    expect(failures(result).filter((failure) => /EMFILE/.test(failure))).toEqual([]);
    const nested = readCaptured(session).calls.filter((call) => call.name === 'nested');
    expect(nested).toHaveLength(4 + 41);
    expect(nested.every((call) => call.status === 'completed')).toBe(true);
  });
});

describe('a command that is no Node program', () => {
  it('runs as it would, and leaves no session', async () => {
    const session = join(temporaryDirectory(), 'session');
    const result = await runFir(['capture', '-o', session, '--', 'sh', '-c', 'echo hello; exit 4']);
    expect(result).toMatchObject({ code: 4, stdout: 'hello\n' });
    expect(existsSync(session)).toBe(false);
  });
});
