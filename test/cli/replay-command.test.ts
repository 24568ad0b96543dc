import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { firBin, nodeUnderTest, repository, runFir, runProcess } from '../support/fir.js';
import { APP, callOf, floats, UNDEFINED } from '../support/replay-session.js';
import { expectValid } from '../support/schema.js';
import { type WrittenCall, writeSession } from '../support/session-writer.js';
import { makeTempDir } from '../support/temp-dir.js';
import { expectWellFormed } from '../support/xml.js';

// Every call compares two things: its result, and the end state of its argument.
const GOOD = callOf('double', { inputs: { arg_0: floats(1, 2) }, outputs: { result: floats(2, 4) } });
const WRONG = callOf('double', { inputs: { arg_0: floats(1, 2) }, outputs: { result: floats(2, 5) } });
const FAILING = callOf('refuse', { outputMetadata: UNDEFINED });
const UNRECORDED = callOf('double', { inputs: { arg_0: floats(1) }, status: 'inputs_saved' });

function recorded(...calls: WrittenCall[]): string {
  const directory = join(makeTempDir(), 'session');
  writeSession(directory, calls);
  return directory;
}

function lastLine(text: string): string | undefined {
  return text.trimEnd().split('\n').at(-1);
}

test.each([
  [
    'five good calls',
    [GOOD, GOOD, GOOD, GOOD, GOOD],
    ['--app', APP],
    0,
    '5 passed, 0 ran, 0 mismatches, 0 skipped of 5 calls (10 outputs compared)',
  ],
  [
    'a mismatch',
    [GOOD, WRONG],
    ['--app', APP],
    1,
    '1 passed, 0 ran, 1 mismatch, 0 skipped of 2 calls (4 outputs compared)',
  ],
  [
    'a call that fails now',
    [GOOD, FAILING],
    ['--app', APP],
    1,
    '1 passed, 0 ran, 0 mismatches, 1 error, 0 skipped of 2 calls (2 outputs compared)',
  ],
  [
    'an empty session',
    [],
    ['--app', APP],
    3,
    '0 passed, 0 ran, 0 mismatches, 0 skipped of 0 calls (0 outputs compared)',
  ],
  [
    'calls that may not run',
    [GOOD, GOOD],
    [],
    3,
    '0 passed, 0 ran, 0 mismatches, 2 skipped of 2 calls (0 outputs compared)',
  ],
  [
    'a selection of nothing',
    [GOOD],
    ['--app', APP, '--include', 'nothing'],
    3,
    'of 0 calls (0 outputs compared)',
  ],
  [
    'a call without a recorded output',
    [GOOD, UNRECORDED],
    ['--app', APP],
    3,
    '1 unchecked, 0 skipped of 2 calls (2 outputs compared)',
  ],
  ['the same, allowed', [GOOD, UNRECORDED], ['--app', APP, '--allow-incomplete'], 0, '1 unchecked'],
  [
    'an empty selection, which nothing allows',
    [GOOD],
    ['--app', APP, '--call', '9', '--allow-incomplete'],
    3,
    'of 0 calls',
  ],
])('%s', async (_, calls, flags, exitCode, summary) => {
  const session = recorded(...calls);
  const [pretty, json] = await Promise.all([
    runFir(['replay', session, ...flags]),
    runFir(['replay', session, ...flags, '--json']),
  ]);
  expect(pretty).toMatchObject({ code: exitCode, stderr: '' });
  expect(lastLine(pretty.stdout)).toContain(summary);
  const document = JSON.parse(json.stdout);
  expectValid(document);
  expect({ code: json.code, stderr: json.stderr, told: document.summary.exitCode }).toEqual({
    code: exitCode,
    stderr: '',
    told: exitCode,
  });
});

test('a call that passes takes one line', async () => {
  const { stdout } = await runFir(['replay', recorded(GOOD, GOOD), '--app', APP]);
  const lines = stdout.split('\n').filter((line) => /^✓ \d double {2}2 outputs, /.test(line));
  expect({ lines: lines.length, all: stdout.trimEnd().split('\n').length }).toEqual({ lines: 2, all: 5 });
});

test('an argument that ends differently is told as that', async () => {
  const changed = callOf('double', {
    inputs: { arg_0: floats(1, 2) },
    mutated: { arg_0: floats(1, 3) },
    outputs: { result: floats(2, 4) },
  });
  const { code, stdout } = await runFir(['replay', recorded(changed), '--app', APP]);
  expect(code).toBe(1);
  expect(stdout).toMatch(/^ +arg_0 float32\[2\]: 1 of 2 elements differ$/m);
  expect(stdout).toMatch(/^ +arg_0: argument after the call$/m);
});

test('several reports of one replay agree', async () => {
  const session = recorded(GOOD, WRONG);
  const directory = makeTempDir();
  const summaryPage = join(directory, 'page.md');
  const { code, stdout } = await runFir(
    [
      ...['replay', session, '--app', APP, '--reporter', `json:${join(directory, 'r.json')}`],
      ...[
        '--reporter',
        `junit:${join(directory, 'r.xml')}`,
        '--reporter',
        `github:${join(directory, 'r.txt')}`,
      ],
    ],
    { env: { GITHUB_STEP_SUMMARY: summaryPage } },
  );
  const read = (name: string) => readFileSync(join(directory, name), 'utf8');
  expect(code).toBe(1);
  expect(stdout).toContain('result float32[2]: 1 of 2 elements differ');
  expectValid(JSON.parse(read('r.json')));
  expectWellFormed(read('r.xml'));
  expect(read('r.xml')).toContain('<testsuites tests="2" failures="1" errors="0" skipped="0"');
  expect(read('r.txt')).toMatch(/^::error title=fir replay%3A call 2 double::mismatch/);
  for (const text of [read('r.xml'), read('r.txt'), read('page.md')]) {
    expect(text).toContain('1 passed, 0 ran, 1 mismatch, 0 skipped of 2 calls (4 outputs compared)');
  }
});

test('a replay whose report is lost is not green, and a red one stays red', async () => {
  const flags = ['--app', APP, '--reporter', 'json:/dev/full'];
  const good = await runFir(['replay', recorded(GOOD), ...flags]);
  const bad = await runFir(['replay', recorded(WRONG), ...flags]);
  expect([good.code, bad.code]).toEqual([2, 1]);
  expect(good.stderr).toContain('fir: the json report failed: ENOSPC');
  expect(lastLine(good.stdout)).toContain('1 passed');
});

test('a reader that leaves early does not change the verdict', async () => {
  const session = recorded(GOOD, WRONG);
  const child = spawn(nodeUnderTest, [firBin, 'replay', session, '--app', APP], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  child.stdout.destroy();
  expect(await new Promise((resolve) => child.once('close', resolve))).toBe(1);
});

test('a terminal that says it has no columns gets the same lines, and the replay ends', async () => {
  const terminal = join(repository, 'test', 'fixtures', 'programs', 'run-in-terminal.py');
  const fir = [nodeUnderTest, firBin, 'replay', recorded(GOOD), '--app', APP];
  const { stdout } = await runProcess('python3', [terminal, '', ...fir], { env: { CI: '', TERM: 'xterm' } });
  expect(stdout).toMatch(
    /\n1 passed, 0 ran, 0 mismatches, 0 skipped of 1 call \(2 outputs compared\)\nexit 0\n$/,
  );
});

test('an interrupted replay ends its report and exits with 130', async () => {
  const session = recorded(
    callOf('neverSettles', {
      module: 'hazards.mjs',
      inputs: { arg_0: floats(1) },
      outputs: { result: floats(1) },
    }),
  );
  const child = spawn(nodeUnderTest, [firBin, 'replay', session, '--app', APP, '--json'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let stdout = '';
  child.stdout.on('data', (text) => {
    stdout += text;
  });
  await workerOf(child.pid ?? 0);
  child.kill('SIGINT');
  const code = await new Promise((resolve) => child.once('close', resolve));
  expect(code).toBe(130);
  expectValid(JSON.parse(stdout));
});

/** Resolves when a process has a child. */
async function workerOf(pid: number): Promise<void> {
  for (;;) {
    const parents = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && parentOf(name) === pid);
    if (parents.length > 0) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function parentOf(pid: string): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return 0;
  }
}
