import { cpSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  nodeUnderTest,
  type ProcessResult,
  repository,
  runFir,
  runProcess,
  temporaryDirectory,
} from '../support/fir.js';
import { type CapturedSession, makeProject, program, readCaptured, sharedDirectory } from './captured.js';

const TSX = join(repository, 'node_modules', 'tsx', 'dist', 'cli.mjs');
const ODD_NAME = `sp ace 'single' "double" 100% #1?`;

/** Programs that start `node` get the one under test. */
const PATH = `${dirname(nodeUnderTest)}:${process.env['PATH']}`;

const KERNELS = `
export function scale(values, factor) {
  return values.map((value) => value * factor);
}
export default function twice(values) {
  return scale(values, 2);
}
`;

/** Captures a command in a directory, into \`session\` below it. */
async function capture(directory: string, command: readonly string[], flags: readonly string[] = []) {
  const result = await runFir(['capture', '-o', 'session', ...flags, '--', ...command], {
    cwd: directory,
    env: { PATH },
  });
  return { result, session: () => readCaptured(join(directory, 'session')) };
}

describe('a program that starts others', () => {
  let bare: ProcessResult;
  let captured: ProcessResult;
  let session: CapturedSession;
  const directory = join(sharedDirectory(), 'session');

  beforeAll(async () => {
    const command = [nodeUnderTest, program('start-others.cjs')];
    bare = await runProcess(nodeUnderTest, command.slice(1));
    captured = await runFir(['capture', '-q', '--dir', directory, '--', ...command]);
    session = readCaptured(directory);
  });

  it('prints the same as without fir, its children that are not Node included', () => {
    expect(captured).toEqual(bare);
    expect(bare.stdout).toContain('no Node 42\n');
  });

  it('is recorded once in every process and thread, each under an id of its own', () => {
    const factors = session.calls.map((call) => call.record.input_metadata['arg_1']);
    expect([...factors].sort()).toEqual([10, 20, 30, 40, 50, 60, 70, 80]);
    expect(session.calls.every((call) => call.status === 'completed' && call.fir.sequence === 1)).toBe(true);
    expect(new Set(session.calls.map((call) => call.processUid)).size).toBe(8);
    expect(session.processes).toHaveLength(8);
    expect(session.unreadable).toBe(0);
  });

  it('tells threads of a process from processes', () => {
    const threads = session.processes.filter((header) => header.thread_id > 0);
    const main = session.calls.find((call) => call.record.input_metadata['arg_1'] === 10);
    expect(threads).toHaveLength(4);
    expect(new Set(threads.map((header) => header.pid))).toEqual(new Set([main?.record.process_id]));
    expect(new Set(session.processes.map((header) => header.pid)).size).toBe(4);
  });

  it('closes every header', () => {
    expect(session.processes.every((header) => header.ended_at !== undefined)).toBe(true);
    expect(new Set(session.processes.map((header) => header.capture)).size).toBe(1);
  });
});

describe('paths with spaces and quotes', () => {
  it('hold neither fir nor the program back', async () => {
    const install = join(temporaryDirectory(), ODD_NAME);
    mkdirSync(install);
    for (const name of ['bin', 'dist', 'package.json']) {
      cpSync(join(repository, name), join(install, name), { recursive: true });
    }
    const directory = makeProject(join(temporaryDirectory(), ODD_NAME), {
      'my app.mjs': `import { scale } from './my kernels.mjs'; console.log(scale(new Float32Array([1, 2]), 3).join());`,
      'my kernels.mjs': KERNELS,
    });
    const flags = ['-q', '-o', 'session', '--instrument', './my kernels.mjs#scale'];
    const command = [join(install, 'bin', 'run.js'), 'capture', ...flags, '--', nodeUnderTest, 'my app.mjs'];
    const env = { NODE_OPTIONS: '--max-old-space-size=512' };
    const result = await runProcess(nodeUnderTest, command, { cwd: directory, env });
    expect(result).toEqual({ code: 0, signal: null, stdout: '3,6\n', stderr: '' });
    const { calls, processes } = readCaptured(join(directory, 'session'));
    expect(calls.map((call) => [call.name, call.outputs])).toEqual([['scale', { result: [3, 6] }]]);
    expect(processes[0]?.node_options).toBe('--max-old-space-size=512');
  });
});

describe('tsx', () => {
  const files = {
    'app.ts': `
      import { recordable } from 'fir-recorder';
      import { addAll } from './recorded.ts';
      import twice, { scale } from './kernels.ts';
      const values: Float32Array = new Float32Array([1, 2]);
      const inEntry = recordable(function inEntry(count: number): number { return count + 1; });
      console.log(scale(values, 3).join(), twice(values).join(), addAll(values), inEntry(1));
    `,
    'recorded.ts': `
      import { recordable } from 'fir-recorder';
      export const addAll = recordable(function addAll(values: Float32Array): number {
        return values.reduce((sum: number, value: number) => sum + value, 0);
      });
      console.log('recorded.ts runs');
    `,
    'kernels.ts': KERNELS.replace('(values, factor)', '(values: Float32Array, factor: number)').replace(
      'twice(values)',
      'twice(values: Float32Array)',
    ),
  };

  it.each(['commonjs', 'module'])('runs and records a program of type %s', async (type) => {
    const directory = makeProject(temporaryDirectory(), {
      ...files,
      'package.json': JSON.stringify({ type }),
    });
    const flags = ['-q', '--instrument', './kernels.ts#scale,default'];
    const { result, session } = await capture(directory, [nodeUnderTest, TSX, 'app.ts'], flags);
    expect(result).toMatchObject({ code: 0, stdout: 'recorded.ts runs\n3,6 2,4 3 2\n' });
    const { calls, processes } = session();
    expect(calls.map((call) => call.name)).toEqual(['scale', 'twice', 'addAll', 'inEntry']);
    expect(processes).toHaveLength(1);
    expect(processes[0]?.functions).toMatchObject({
      addAll: { kind: 'module', module: 'recorded.ts', export: 'addAll' },
      inEntry: { kind: 'unresolved', reason: 'importing it would run the program' },
    });
    expect(calls[0]?.fir.resolve).toMatchObject({ kind: 'module', module: 'kernels.ts', export: 'scale' });
  });
});

describe('other ways to start a program', () => {
  it('npm start', async () => {
    const directory = makeProject(temporaryDirectory(), {
      'package.json': JSON.stringify({ type: 'module', scripts: { start: 'node app.js from npm' } }),
      'app.js': `import { scale } from './kernels.js'; console.log(process.argv.slice(2).join(), scale([1], 2));`,
      'kernels.js': KERNELS,
    });
    const { result, session } = await capture(
      directory,
      ['npm', 'start', '--silent', '--offline'],
      ['--instrument', './kernels.js#scale'],
    );
    expect(result).toMatchObject({ code: 0, stdout: 'from,npm [ 2 ]\n' });
    expect(session().calls.map((call) => call.name)).toEqual(['scale']);
    expect(session().processes).toHaveLength(1);
  });

  it('node --test', async () => {
    const directory = makeProject(temporaryDirectory(), {
      'package.json': JSON.stringify({ type: 'module' }),
      'kernels.test.js': `
        import assert from 'node:assert';
        import test from 'node:test';
        import { scale } from './kernels.js';
        test('scales', () => assert.deepEqual(scale([1, 2], 3), [3, 6]));
        test('scales again', async () => assert.deepEqual(scale([1], 5), [5]));
      `,
      'kernels.js': KERNELS,
    });
    const { result, session } = await capture(
      directory,
      [nodeUnderTest, '--test', '--test-reporter=tap'],
      ['--instrument', './kernels.js#scale'],
    );
    expect(result.code).toBe(0);
    expect(result.stdout).toContain('# pass 2\n');
    expect(session().calls.map((call) => call.record.input_metadata['arg_1'])).toEqual([3, 5]);
  });

  it('a capture inside a capture', async () => {
    const directory = makeProject(temporaryDirectory(), {
      'package.json': JSON.stringify({ type: 'module' }),
      'app.js': `import { scale } from './kernels.js'; console.log(scale([1], 2));`,
      'kernels.js': KERNELS,
    });
    const fir = [nodeUnderTest, join(repository, 'bin', 'run.js'), 'capture', '-o', 'inner'];
    const inner = [...fir, '--instrument', './kernels.js#scale', '--', nodeUnderTest, 'app.js'];
    const { result, session } = await capture(directory, inner, ['--instrument', './kernels.js#default']);
    expect(result).toMatchObject({ code: 0, stdout: '[ 2 ]\n' });
    expect(readCaptured(join(directory, 'inner')).calls).toHaveLength(1);
    expect(readCaptured(join(directory, 'inner')).processes[0]?.node_options).toBeUndefined();
    expect(session).toThrow();
  });
});
