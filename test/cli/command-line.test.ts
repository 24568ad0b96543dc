import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { firBin, nodeUnderTest, repository, runFir } from '../support/fir.js';
import { expectValid } from '../support/schema.js';
import { tensorOf, writeSession } from '../support/session-writer.js';
import { makeTempDir } from '../support/temp-dir.js';

const { version } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'));

test('--version is one line', async () => {
  const { code, stdout, stderr } = await runFir(['--version']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(new RegExp(`^fir-recorder/${version} \\S+ node-v\\d+\\.\\d+\\.\\d+\\n$`));
});

test.each([[['--help']], [['help']], [['-h']], [[]]])('fir %j lists the commands', async (args) => {
  const { code, stdout, stderr } = await runFir(args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  for (const command of ['autocomplete', 'capture', 'help', 'inspect', 'replay']) {
    expect(stdout).toMatch(new RegExp(`^ {2}${command} +[A-Z]`, 'm'));
  }
});

test.each(['capture', 'inspect', 'replay'])(
  '%s has help with examples, in both spellings',
  async (command) => {
    const [asFlag, asCommand] = await Promise.all([runFir([command, '--help']), runFir(['help', command])]);
    expect(asFlag).toEqual(asCommand);
    expect(asFlag).toMatchObject({ code: 0, stderr: '' });
    expect(asFlag.stdout).toContain(`\n    $ fir ${command} `);
  },
);

test.each([
  [['inspct', 's'], 'Did you mean fir inspect?'],
  [['Replay'], 'Did you mean fir replay?'],
  [['frobnicate'], 'See fir --help'],
])('an unknown command is wrong usage, and nobody is asked: %j', async (args, hint) => {
  const { code, stdout, stderr } = await runFir(args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain(`${args[0]} is not a fir command`);
  expect(stderr).toContain(hint);
});

test.each([
  [['inspect', 's', '--joson'], 2, 'Did you mean --json?'],
  [['inspect'], 2, 'path'],
  [['inspect', 'a', 'b'], 2, 'Unexpected argument: b'],
  [['replay', 's', '--preset', 'loose'], 2, 'default, flashinfer, exact'],
  [['replay', 's', '--jobs', 'many'], 2, '--jobs'],
  [['capture', '--joson', '--', 'node'], 125, 'Nonexistent flag: --joson'],
  [['capture'], 125, '-- node app.js'],
  [['capture', 'node', 'app.js'], 125, 'Put the command behind --'],
])('wrong usage is told with the way out: %j', async (args, code, text) => {
  const result = await runFir(args);
  expect(result).toMatchObject({ code, stdout: '' });
  expect(result.stderr).toMatch(/^fir: /);
  expect(result.stderr).toContain(text);
  expect(result.stderr).not.toContain('    at ');
});

test.each([
  [['inspect', '/nowhere', '--json'], 2, 'NOT_FOUND'],
  [['inspect', '--json'], 2, 'USAGE'],
  [['replay', '/nowhere', '--json'], 2, 'NOT_FOUND'],
  [['replay', '/nowhere', '--reporter', 'json'], 2, 'NOT_FOUND'],
  [['replay', '.', '--device', 'tpu', '--json'], 2, 'USAGE'],
  [['frobnicate', '--json'], 2, 'USAGE'],
])(
  'with --json a failure is one document on stdout, with the same exit code: %j',
  async (args, code, error) => {
    const withJson = await runFir(args);
    const document = JSON.parse(withJson.stdout);
    expectValid(document);
    expect(document).toMatchObject({ exitCode: code, error: { code: error } });
    expect(withJson.code).toBe(code);
  },
);

test('--debug shows where an error comes from', async () => {
  const { stderr } = await runFir(['inspect', '/nowhere', '--debug']);
  expect(stderr).toContain('\n    at ');
});

test('a bug is not told as a mismatch', async () => {
  const sabotage = 'data:text/javascript,JSON.parse = () => { throw new TypeError("sabotaged") }';
  const { code, stderr } = await runFir(['inspect', '/nowhere'], {
    env: { NODE_OPTIONS: `--import=${encodeURI(sabotage)}` },
  });
  expect(code).toBe(70);
  expect(stderr).toMatch(/^fir: a bug in fir: sabotaged\n/);
  expect(stderr).not.toContain('    at ');
});

test('commands are found from any directory, also where NODE_ENV says development', async () => {
  const cwd = makeTempDir();
  const { code, stdout, stderr } = await runFir(['inspect', '--help'], {
    cwd,
    env: { NODE_ENV: 'development' },
  });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain('USAGE');
});

test('completion explains how to set it up and writes its scripts to the cache', async () => {
  const home = makeTempDir();
  const env = { HOME: home, XDG_CACHE_HOME: join(home, 'cache') };
  const setup = await runFir(['autocomplete', 'bash'], { env });
  expect(setup).toMatchObject({ code: 0, stdout: expect.stringContaining('fir autocomplete script bash') });
  const functions = join(home, 'cache', 'fir', 'autocomplete', 'functions', 'bash', 'fir.bash');
  expect(readFileSync(functions, 'utf8')).toMatch(/^replay .*--tolerance/m);
  const script = await runFir(['autocomplete', 'script', 'zsh'], { env });
  expect(script).toMatchObject({ code: 0, stdout: expect.stringContaining('FIR_AC_ZSH_SETUP_PATH=') });
});

function manyCalls(count: number): string {
  const directory = join(makeTempDir(), 'session');
  const calls = Array.from({ length: count }, () => ({
    functionName: 'a_function_with_a_name_of_some_length',
    inputs: { arg_0: tensorOf('float32', [1]) },
  }));
  writeSession(directory, calls);
  return directory;
}

test.each([[[]], [['--json']]])(
  'a reader that leaves early ends inspect quietly with 0: %j',
  async (flags) => {
    const session = manyCalls(1500);
    const child = spawn(nodeUnderTest, [firBin, 'inspect', session, ...flags], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stderr = '';
    child.stderr.on('data', (text) => {
      stderr += text;
    });
    child.stdout.once('data', () => child.stdout.destroy());
    const code = await new Promise((resolve) => child.once('close', resolve));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  },
);

test('colour is shown when it is asked for, and not into a pipe', async () => {
  const session = manyCalls(1);
  const plain = await runFir(['inspect', session], { env: { NO_COLOR: '' } });
  const coloured = await runFir(['inspect', session], { env: { NO_COLOR: '', FORCE_COLOR: '1' } });
  expect(plain.stdout).not.toContain('\u001b[');
  expect(coloured.stdout).toContain('\u001b[32mcompleted\u001b[39m');
});
