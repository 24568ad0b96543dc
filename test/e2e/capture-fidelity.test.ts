import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  nodeUnderTest,
  type ProcessResult,
  type RunOptions,
  runFir,
  runProcess,
  temporaryDirectory,
} from '../support/fir.js';
import { program, readCaptured } from './captured.js';

interface Both {
  bare: ProcessResult;
  captured: ProcessResult;
  session: string;
}

/** Runs a program by itself and under `fir capture`. */
async function runBoth(command: readonly string[], options: RunOptions = {}): Promise<Both> {
  const session = join(temporaryDirectory(), 'session');
  const [bare, captured] = await Promise.all([
    runProcess(nodeUnderTest, command, options),
    runFir(['capture', '--quiet', '--dir', session, '--', nodeUnderTest, ...command], options),
  ]);
  return { bare, captured, session };
}

describe('a CommonJS program', () => {
  it('sees its own events in the same order', async () => {
    const { bare, captured } = await runBoth([program('event-order.cjs')]);
    expect(captured).toEqual(bare);
    expect(bare.stdout).toContain('loaded by event-order.cjs, main true\n');
  });

  it('sees the same arguments, options, environment and module around it', async () => {
    const command = ['--no-deprecation', '--stack-size=900', program('show-process.cjs'), 'a b', '"c"', ''];
    const env = { NODE_OPTIONS: '--max-old-space-size=512', GREETING: 'hello "world"\n\\', EMPTY: '' };
    const { bare, captured } = await runBoth(command, { env });
    expect(captured).toEqual(bare);
    expect(JSON.parse(bare.stdout)).toMatchObject({ isMain: true, parent: null, hasParent: true, empty: '' });
    const withoutOption = await runProcess(nodeUnderTest, command);
    expect(JSON.parse(bare.stdout).maxOldSpaceMb).toBeLessThan(
      JSON.parse(withoutOption.stdout).maxOldSpaceMb,
    );
  });
});

describe('rejections of recorded async functions', () => {
  it.each([
    ['that nobody handles end the program', 'unhandled', 1, ''],
    ['that are handled too late end the program', 'late', 1, ''],
    ['reach the handler of the program', 'watched', 0, 'unhandled nobody handles this\n'],
    ['that are caught make no noise', 'handled', 0, 'somebody handles this\n'],
    ['that are awaited make no noise', 'awaited', 0, 'awaited\n'],
  ])('%s', async (_name, how, code, stdout) => {
    const { bare, captured, session } = await runBoth([program('reject.mjs'), how]);
    expect(bare).toMatchObject({ code, stdout });
    expect(captured).toMatchObject({ code, stdout });
    expect(errorLines(captured.stderr)).toEqual(errorLines(bare.stderr));
    expect(readCaptured(session).calls.map((call) => call.status)).toEqual(['failed']);
  });
});

describe('errors of recorded functions', () => {
  it('end the program as they would without fir, when nobody catches them', async () => {
    const { bare, captured } = await runBoth([program('reject.mjs'), 'thrown']);
    expect(captured.code).toBe(bare.code);
    expect(errorLines(captured.stderr)).toEqual(errorLines(bare.stderr));
    expect(captured.stderr).toContain('RangeError: thrown to the top');
  });

  it('are the very same values, of whatever kind, and are recorded', async () => {
    const { bare, captured, session } = await runBoth([program('throw-values.mjs')]);
    expect(captured).toEqual(bare);
    expect(bare.stdout).not.toContain('false');
    const { calls } = readCaptured(session);
    expect(calls.every((call) => call.status === 'failed')).toBe(true);
    expect(calls.map((call) => call.fir.error?.name)).toEqual(
      ['Error', 'TypeError', 'string', 'undefined', 'object', 'bigint', 'symbol', 'object', 'object'].flatMap(
        (name) => [name, name],
      ),
    );
  });
});

/** Lines that name an error: where the runtime saw it first may differ by a frame of ours. */
function errorLines(stderr: string): string[] {
  return stderr.split('\n').filter((line) => /^\s*(\[?\w*Error\b|\(node|Warning)/.test(line));
}
