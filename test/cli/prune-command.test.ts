import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { firBin, nodeUnderTest, repository, runFir, runProcess } from '../support/fir.js';
import { linesOf, NO_PID } from '../support/prune.js';
import { expectValid } from '../support/schema.js';
import { hashTree } from '../support/session-content.js';
import { tensorOf, type WrittenCall, writeSession } from '../support/session-writer.js';
import { makeTempDir } from '../support/temp-dir.js';

let session: string;

function call(functionName: string, more: Partial<WrittenCall> = {}): WrittenCall {
  return { functionName, pid: NO_PID, inputs: { arg_0: tensorOf('float32', [1, 2]) }, ...more };
}

beforeEach(() => {
  session = join(makeTempDir(), 'session');
  const made = { selfId: 1, fir: { self_class: 'K' } };
  const calls = [
    call('K.__init__', { ...made, kind: 'constructor' }),
    call('f'),
    call('f'),
    call('K.run', made),
  ];
  writeSession(session, calls, { header: { ended_at: '2026-11-24T15:00:00.000Z' } });
});

test('shows what goes, what stays and why, and ends with what is left of how much', async () => {
  const { code, stdout } = await runFir(['prune', session, '--max-count', '2', '--yes']);
  expect(code).toBe(0);
  expect(stdout).toMatch(
    /^- 2-3 f {2}[\d.]+ KiB\n\nnote: call 1 stays: makes K object 1, for call 4\n\n2 of 4 calls would go, .*\n2 of 4 calls dropped, [\d.]+ KiB of [\d.]+ KiB; 2 calls, [\d.]+ KiB left\n$/,
  );
  expect(linesOf(session)).toHaveLength(4);
});

test('what is left may be more than the bounds: that is told, and exits with 3', async () => {
  const args = ['prune', session, '--max-count', '1', '--keep', 'last', '--include', 'f', '--yes'];
  const { code, stdout } = await runFir(args);
  expect(code).toBe(3);
  expect(stdout).toContain('3 calls, ');
  expect(stdout).toContain('left, more than 1 call: the rest is kept or needed\n');
});

describe('nothing is changed', () => {
  test.each([
    [['--max-count', '1'], 2, 'look first with --dry-run; --yes drops without asking'],
    [['--max-count', '1', '--json'], 2, 'look first with --dry-run; --yes drops without asking'],
    [['--yes'], 2, 'give --max-size, --max-count'],
    [['--keep', 'failed', '--yes'], 2, 'give --max-size, --max-count'],
    [['--max-size', 'much', '--yes'], 2, 'write it like 4096'],
    [['--older-than', 'soon', '--yes'], 2, 'write it like 90s'],
    [['--max-count', '1', '--dry-run'], 0, ''],
    [['--orphans', '--yes'], 0, ''],
  ])('by %j: exit code %d', async (flags, expected, hint) => {
    const before = hashTree(session);
    const { code, stdout, stderr } = await runFir(['prune', session, ...flags]);
    expect(code).toBe(expected);
    expect(stdout + stderr).toContain(hint);
    expect(hashTree(session)).toBe(before);
  });

  test('where the path is no session', async () => {
    const directory = makeTempDir();
    mkdirSync(join(directory, 'src'));
    const { code, stderr } = await runFir(['prune', directory, '--max-count', '0', '--yes']);
    expect(code).toBe(2);
    expect(stderr).toContain('holds no recorded session');
  });
});

describe('--json', () => {
  test('is one document that the schema holds for', async () => {
    rmSync(join(session, linesDump(1)), { recursive: true });
    writeFileSync(join(session, 'session.jsonl.1.ab.tmp'), 'x');
    writeFileSync(join(session, linesDump(2), 'notes.txt'), 'mine');
    const flags = ['--max-count', '2', '--exclude', 'K.run', '--orphans', '--json'];
    const dry = await runFir(['prune', session, ...flags, '--dry-run']);
    const done = await runFir(['prune', session, ...flags, '--yes']);
    for (const { code, stdout } of [dry, done]) {
      expect(code).toBe(3);
      const document = JSON.parse(stdout);
      expectValid(document);
      expect(document.dropped.map(({ calls }: { calls: number[] }) => calls)).toEqual([[2]]);
      expect(document.needed).toMatchObject([{ call: 1, neededBy: 4, why: 'creator' }]);
      expect(document.staying).toMatchObject([{ call: 3, function: 'f' }]);
      expect(document.repairs).toMatchObject({ lines: 0, leftovers: [{ path: 'session.jsonl.1.ab.tmp' }] });
      expect(document.summary).toMatchObject({ calls: 4, dropped: 1, callsLeft: 3, withinBounds: false });
    }
    expect(JSON.parse(dry.stdout).summary.done).toBe(false);
    expect(JSON.parse(done.stdout).summary.done).toBe(true);
  });

  function linesDump(index: number): string {
    return JSON.parse(linesOf(session)[index * 2] ?? '').dump_dir.replace(/^.*\//, '');
  }
});

describe('in a terminal', () => {
  test.each([
    ['y\\r', /2 of 4 calls dropped, .* left\nexit 0\n$/, 4],
    ['\\r', /nothing was dropped\nexit 0\n$/, 8],
    ['no\\r', /nothing was dropped\nexit 0\n$/, 8],
    ['\\x04', /nothing was dropped\nexit 0\n$/, 8],
    ['\\x03', /exit 130\n$/, 8],
  ])('it asks first, and takes %j for what it is', async (keys, end, lines) => {
    const terminal = join(repository, 'test', 'fixtures', 'programs', 'run-in-terminal.py');
    const command = [nodeUnderTest, firBin, 'prune', session, '--max-count', '2'];
    const args = [terminal, keys, ...command];
    const { stdout } = await runProcess('python3', args, { env: { READY: 'Drop them?' } });
    expect(stdout).toContain('Drop them? [y/N]');
    expect(stdout).toMatch(end);
    expect(linesOf(session)).toHaveLength(lines);
  });
});

describe('a session in use', () => {
  test('is refused while somebody has its index open for writing, and pruned when they are gone', async () => {
    const before = hashTree(session);
    const program = `require('node:fs').openSync(${JSON.stringify(join(session, 'session.jsonl'))}, 'a'); console.log('open'); process.stdin.resume();`;
    const child = spawn(process.execPath, ['-e', program], { stdio: ['pipe', 'pipe', 'inherit'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    await once(child.stdout, 'data');
    const refused = await runFir(['prune', session, '--max-count', '1', '--yes']);
    // Where nobody tells which files a process has open, this one is not seen.
    if (process.platform === 'linux') {
      expect(refused.code).toBe(2);
      expect(refused.stderr).toContain(`process ${child.pid} has session.jsonl open`);
      expect(hashTree(session)).toBe(before);
    }
    child.stdin.end();
    await once(child, 'exit');
    expect((await runFir(['prune', session, '--max-count', '2', '--yes'])).code).toBe(0);
  });

  test('is refused while a thread that recorded into it did not say that it ended, and wrote a moment ago', async () => {
    const header = join(session, 'processes', `uid${NO_PID}.json`);
    const { ended_at: _ended, ...open } = JSON.parse(readFileSync(header, 'utf8'));
    writeFileSync(header, JSON.stringify(open));
    const { code, stderr } = await runFir(['prune', session, '--max-count', '1', '--yes']);
    expect(code).toBe(2);
    expect(stderr).toContain(`process ${NO_PID} is of another machine, did not say that it ended`);
  });
});
