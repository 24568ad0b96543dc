import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { nodeUnderTest, runFir } from '../support/fir.js';
import { makeTempDir } from '../support/temp-dir.js';

const SHOW_ARGUMENTS = 'console.log(JSON.stringify(process.argv.slice(1)))';
const SHOW_VARIABLES =
  'console.log(JSON.stringify(Object.fromEntries(Object.entries(process.env).filter(([name]) => /^(FIR|FLASHINFER)_(DUMP|LOG|ASYNC|INSTR)/.test(name)))))';

test.each([
  [['-o', 's', '--'], 'app.js -o x --help --version -- y'],
  [['-o', 's', '--', '--'], '--flag --json --debug'],
  [['-o', 's', '--'], '-- --'],
])('what follows -- reaches the program untouched: capture %j', async (flags, line) => {
  const cwd = makeTempDir();
  const args = line.split(' ');
  const { code, stdout } = await runFir(
    ['capture', ...flags, nodeUnderTest, '-e', SHOW_ARGUMENTS, '--', ...args],
    {
      cwd,
    },
  );
  expect({ code, args: JSON.parse(stdout) }).toEqual({ code: 0, args });
});

test('help behind -- is the program’s, before it ours', async () => {
  const theirs = await runFir(['capture', '-q', '--', nodeUnderTest, '--help']);
  const ours = await runFir(['capture', '--help', '--', nodeUnderTest]);
  expect(theirs.stdout).toContain('Usage: node ');
  expect(ours.stdout).toContain('$ fir capture [FLAGS] -- COMMAND [ARGS...]');
});

async function variablesOf(flags: string[], env: NodeJS.ProcessEnv): Promise<Record<string, string>> {
  const { stdout } = await runFir(['capture', '-q', ...flags, '--', nodeUnderTest, '-e', SHOW_VARIABLES], {
    cwd: makeTempDir(),
    env,
  });
  return JSON.parse(stdout);
}

test('variables are the defaults of flags', async () => {
  const variables = {
    FIR_DUMP_DIR: '/tmp/from-variable',
    FIR_DUMP_INCLUDE: 'a*,b',
    FIR_DUMP_EXCLUDE: 'c',
    FIR_DUMP_MAX_COUNT: '7',
    FIR_DUMP_MAX_SIZE_GB: '0.5',
    FIR_LOGLEVEL: '3',
    FIR_LOGDEST: 'stdout',
  };
  expect(await variablesOf([], variables)).toMatchObject(variables);
  const flags = [
    '--dir=/tmp/from-flag',
    '--include',
    'x,y',
    '--include',
    'z',
    '--max-count=8',
    '--level',
    '1',
  ];
  expect(await variablesOf(flags, variables)).toMatchObject({
    ...variables,
    FIR_DUMP_DIR: '/tmp/from-flag',
    FIR_DUMP_INCLUDE: 'x,y,z',
    FIR_DUMP_MAX_COUNT: '8',
    FIR_LOGLEVEL: '1',
  });
});

/** FLASHINFER_* alone. */
async function flashinferVariablesOf(
  flags: string[],
  env: NodeJS.ProcessEnv,
): Promise<Record<string, string>> {
  const variables = Object.entries(await variablesOf(flags, env));
  return Object.fromEntries(variables.filter(([name]) => name.startsWith('FLASHINFER_')));
}

test('FlashInfer is told what was said to fir, by flags or variables, and nothing else', async () => {
  const flags = ['--dir=/tmp/from-flag', '--include', 'x,y', '--exclude', 'z', '--log-dest', 'stdout'];
  const limits = { FIR_DUMP_MAX_COUNT: '7', FIR_DUMP_MAX_SIZE_GB: '0.5' };
  expect(await flashinferVariablesOf([...flags, '--format', 'safetensors'], limits)).toEqual({
    FLASHINFER_LOGLEVEL: '10',
    FLASHINFER_LOGDEST: 'stdout',
    FLASHINFER_DUMP_DIR: '/tmp/from-flag',
    FLASHINFER_DUMP_INCLUDE: 'x,y',
    FLASHINFER_DUMP_EXCLUDE: 'z',
    FLASHINFER_DUMP_MAX_COUNT: '7',
    FLASHINFER_DUMP_MAX_SIZE_GB: '0.5',
    FLASHINFER_DUMP_SAFETENSORS: '1',
  });
  expect(await flashinferVariablesOf([], {})).toEqual({
    FLASHINFER_LOGLEVEL: '10',
    FLASHINFER_LOGDEST: '/dev/null',
    FLASHINFER_DUMP_DIR: expect.stringMatching(/^\/.*\/fir_dumps$/),
  });
});

test('FlashInfer’s own variables go after what was said to fir and before its defaults', async () => {
  const own = {
    FLASHINFER_LOGLEVEL: '3',
    FLASHINFER_DUMP_DIR: '/tmp/theirs',
    FLASHINFER_DUMP_INCLUDE: 'a',
    FLASHINFER_DUMP_MAX_COUNT: '5',
    FLASHINFER_DUMP_SAFETENSORS: '1',
  };
  expect(await flashinferVariablesOf([], own)).toEqual(own);
  const env = { ...own, FIR_DUMP_DIR: '/tmp/ours', FIR_LOGLEVEL: '1' };
  expect(await flashinferVariablesOf(['--include', 'b'], env)).toEqual({
    ...own,
    FLASHINFER_LOGLEVEL: '1',
    FLASHINFER_LOGDEST: 'stderr',
    FLASHINFER_DUMP_DIR: '/tmp/ours',
    FLASHINFER_DUMP_INCLUDE: 'b',
  });
});

test.each([
  [['--max-size', 'big'], '--max-size big is no size'],
  [['--max-count', '-1'], '--max-count'],
  [['--format', 'numpy'], '--format=numpy'],
  [['--on-limit', 'forget'], '--on-limit=forget'],
  [['--instrument', './no-such.js#f'], 'no-such.js'],
  [['--instrument', './no-exports.js'], 'names no exports'],
])('a flag that can not be followed stops fir before the program: %j', async (flags, text) => {
  const { code, stdout, stderr } = await runFir([
    'capture',
    ...flags,
    '--',
    nodeUnderTest,
    '-e',
    'console.log("ran")',
  ]);
  expect({ code, stdout }).toEqual({ code: 125, stdout: '' });
  expect(stderr).toContain(text);
});

test('it says once that values are written, and at the end that nothing was recorded and why', async () => {
  const cwd = makeTempDir();
  const { stderr, stdout } = await runFir(['capture', '--', nodeUnderTest, '-e', ''], { cwd });
  const [notice, result, ...more] = stderr.trimEnd().split('\n');
  expect(notice).toMatch(/^fir: the values of recorded arguments and results are written to fir_dumps/);
  expect(result).toMatch(/^fir: nothing was recorded: .*recordable\(\)/);
  expect({ more, stdout }).toEqual({ more: [], stdout: '' });
});

test('--quiet says nothing at all', async () => {
  const { stderr } = await runFir(['capture', '-q', '--', nodeUnderTest, '-e', ''], { cwd: makeTempDir() });
  expect(stderr).toBe('');
});

test('a level that only logs promises no recording', async () => {
  const cwd = makeTempDir();
  const { stderr } = await runFir(['capture', '--level', '1', '--', nodeUnderTest, '-e', ''], { cwd });
  expect(stderr).toBe('fir: level 1 records no calls, it only logs them; --level 10 records\n');
  expect(existsSync(join(cwd, 'fir_dumps'))).toBe(false);
});
