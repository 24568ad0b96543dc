import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { openSession } from '../../src/core/session/index.js';
import { repository, runFir, temporaryDirectory } from '../support/fir.js';
import { replayJson } from '../support/replay-json.js';
import { expectValid } from '../support/schema.js';
import { tensorOf, writeSession } from '../support/session-writer.js';
import { captureProgram, sharedDirectory } from './captured.js';

const APP = ['--app', repository];

const shared = sharedDirectory();
/** One object that ran a thousand times, beside another one. */
const long = join(shared, 'long');
/** Few calls, nested ones and objects of the same class one after the other among them. */
const mixed = join(shared, 'mixed');

beforeAll(async () => {
  const [first, second] = await Promise.all([
    captureProgram(long, ['use-planners.mjs', '1000'], { flags: ['--max-count', '2000'] }),
    captureProgram(mixed, ['use-planners.mjs', '3', 'more']),
  ]);
  expect([first?.code, second?.code]).toEqual([0, 0]);
});

function bytesOf(directory: string): number {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}

function namesIn(directory: string): string[] {
  return openSession(directory).calls.map(({ functionName }) => functionName);
}

/** Verdicts by dump. */
async function verdictsOf(session: string, flags: readonly string[] = []): Promise<Record<string, string>> {
  const { calls } = await replayJson(session, [...APP, ...flags]);
  return Object.fromEntries(calls.map(({ dump, verdict }) => [dump, verdict]));
}

test('the last of a thousand runs comes with what made its object and its state, and nothing else', async () => {
  const out = join(temporaryDirectory(), 'out');
  const flags = ['--include', 'A.run', '--last', '1', '--stateful', 'A=plan'];
  const { code, stdout, stderr } = await runFir(['filter', long, '-o', out, ...flags]);
  expect([code, stderr]).toEqual([0, '']);
  expect(namesIn(out)).toEqual(['A.__init__', 'A.plan', 'A.run']);
  expect(bytesOf(out)).toBeLessThan(bytesOf(long) / 50);
  const lines = stdout.split('\n');
  expect(lines.slice(0, 3)).toEqual([
    '+    1 A.__init__  makes A object 1, for call 1003',
    '+    3 A.plan  state of A object 1: the last plan before it, for call 1003',
    '  1003 A.run',
  ]);
  expect(lines.at(-2)).toMatch(
    /^1 call selected of 1004, 2 added because it needs them; 3 calls, \d+\.\d KiB \(was \d+\.\d MiB\) in /,
  );
  const stateful = ['--stateful', 'A=plan'];
  const alone = await verdictsOf(out, stateful);
  expect(Object.values(alone)).toEqual(['ran', 'pass', 'pass']);
  const whole = await verdictsOf(long, [...stateful, '--call', '1003']);
  expect(alone).toMatchObject(whole);
});

describe('any part of a session', () => {
  test.each([
    ['--call', '6'],
    ['--call', '12'],
    ['--call', '11,14'],
    ['--include', 'B.*'],
    ['--include', 'A.runs'],
    ['--include', 'runTwice'],
    ['--has-inf'],
    ['--last', '3'],
  ])('replays with the verdicts that it has in the whole: %s %s', async (...flags) => {
    const out = join(temporaryDirectory(), 'out');
    const { code, stderr } = await runFir(['filter', mixed, '-o', out, ...flags]);
    expect([code, stderr]).toEqual([0, '']);
    const whole = await verdictsOf(mixed);
    const part = await verdictsOf(out);
    expect(Object.keys(part).length).toBeGreaterThan(0);
    expect(Object.keys(part).length).toBeLessThan(Object.keys(whole).length);
    expect(whole).toMatchObject(part);
  });
});

describe('what fir filter says', () => {
  test('as JSON, with what it wrote', async () => {
    const out = join(temporaryDirectory(), 'out');
    const { code, stdout } = await runFir(['filter', mixed, '-o', out, '--call', '12,15', '--json']);
    expect(code).toBe(0);
    const document = JSON.parse(stdout);
    expectValid(document);
    expect(document).toMatchObject({
      asked: { call: '12,15' },
      closure: true,
      dryRun: false,
      leftOut: [],
      unready: [],
      deprived: [],
      written: { path: out, calls: document.selected.length + document.added.length },
      summary: { calls: 17, selected: 2, exitCode: 0 },
    });
    const added = document.added.map(({ call, neededBy, why }: Record<string, unknown>) => [
      call,
      neededBy,
      why,
    ]);
    expect(added).toEqual([
      [8, 12, 'creator'],
      [9, 12, 'state'],
      [10, 12, 'around'],
      [11, 12, 'state'],
    ]);
    expect(document.written.bytes).toBe(bytesOf(out));
    expect(document.summary.bytesBefore).toBe(bytesOf(mixed));
  });

  test('without closure: what that leaves out, and what will not replay', async () => {
    const flags = ['--include', 'A.run', '--last', '1', '--no-closure', '--dry-run'];
    const { code, stdout } = await runFir(['filter', mixed, ...flags]);
    expect(code).toBe(0);
    expect(stdout).toBe(`-  8 A.__init__  makes A object 3, for call 14
-  9 A.plan  state of A object 3: full history, for call 14
- 10 runTwice  state of A object 3: full history, for call 14
- 11-12 A.run  state of A object 3: full history, for call 14
- 13 A.plan  state of A object 3: full history, for call 14
  14 A.run

note: without what is left out 1 call won't replay as recorded: 14

1 call selected of 17, 6 that it needs left out; 1 call would be written
`);
    const json = await runFir(['filter', mixed, ...flags, '--json']);
    const document = JSON.parse(json.stdout);
    expectValid(document);
    expect(document.leftOut).toHaveLength(6);
    expect(document).toMatchObject({ added: [], deprived: [14], dryRun: true });
    expect(document.written).toBeUndefined();
  });

  test('of a selection of nothing: 3, and nothing is written', async () => {
    const out = join(temporaryDirectory(), 'out');
    const { code, stdout } = await runFir(['filter', mixed, '-o', out, '--include', 'nope']);
    expect([code, stdout]).toEqual([3, '\n0 calls selected of 17; nothing to write\n']);
    const json = await runFir(['filter', mixed, '-o', out, '--include', 'nope', '--json']);
    expect(json.code).toBe(3);
    expectValid(JSON.parse(json.stdout));
    expect(existsSync(out)).toBe(false);
  });

  test.each([
    [['--call', '1'], /there is nothing to write the selected calls to/],
    [['-o', 'TAKEN', '--call', '1'], /TAKEN/],
    [['-o', 'new', '--call', '0'], /"0" in "0" is not a call number/],
    [['-o', 'new', '--shape', '1,x'], /"x" in the shape "1,x"/],
    [['-o', 'new', '--dtype', 'float33'], /unknown dtype "float33"/],
    [['-o', 'new', '--since', 'noon'], /"noon" is neither a time nor a duration/],
    [['-o', 'new', '--min-size', 'big'], /"big" is no size/],
    [['-o', 'new', '--verdicts', 'report.json'], /--verdicts 'report.json' names no report/],
    [['-o', 'new', '--stateful', 'A'], /--stateful 'A'/],
  ])('of wrong usage %j: 2, with what is wrong', async (flags, message) => {
    const folder = temporaryDirectory();
    const taken = join(folder, 'TAKEN');
    writeFileSync(taken, 'mine');
    const { code, stdout, stderr } = await runFir(['filter', mixed, ...flags], { cwd: folder });
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(message);
    expect(readdirSync(folder)).toEqual(['TAKEN']);
  });

  test('of a destination that is taken, as JSON', async () => {
    const folder = temporaryDirectory();
    writeFileSync(join(folder, 'mine'), '');
    const { code, stdout } = await runFir(['filter', mixed, '-o', folder, '--call', '1', '--json']);
    expect(code).toBe(2);
    const document = JSON.parse(stdout);
    expectValid(document);
    expect(document).toMatchObject({ format: 'fir.error/1', error: { code: 'USAGE' }, exitCode: 2 });
    expect(readdirSync(folder)).toEqual(['mine']);
  });
});

test('what a replay found wrong is cut out by its report', async () => {
  const folder = temporaryDirectory();
  const report = join(folder, 'report.json');
  const target = join(folder, 'wrong.mjs');
  writeFileSync(target, 'export const infinite = (values) => values;\n');
  const flags = ['--reporter', `json:${report}`, '--target', `infinite=${target}#infinite`];
  expect((await runFir(['replay', mixed, ...APP, ...flags])).code).toBe(1);
  const out = join(folder, 'out');
  const { code } = await runFir(['filter', mixed, '-o', out, '--verdicts', `${report}=mismatch,error`]);
  expect(code).toBe(0);
  expect(namesIn(out)).toEqual(['infinite']);
  const other = await runFir(['filter', long, '-o', join(folder, 'no'), '--verdicts', `${report}=mismatch`]);
  expect(other.code).toBe(2);
  expect(other.stderr).toContain('reports on another session');
});

test('interrupted it leaves nothing', async () => {
  const folder = temporaryDirectory();
  const large = join(folder, 'large');
  writeSession(
    large,
    Array.from({ length: 1500 }, () => ({ functionName: 'f', inputs: { arg_0: tensorOf('float32', [1]) } })),
  );
  const out = join(folder, 'parts', 'out');
  const { code, signal } = await runFir(['filter', large, '-o', out], {
    onSpawn: (pid) => {
      const watch = setInterval(() => {
        const isWriting = existsSync(join(folder, 'parts')) && readdirSync(join(folder, 'parts')).length > 0;
        if (!isWriting) return;
        clearInterval(watch);
        process.kill(pid, 'SIGINT');
      }, 2);
    },
  });
  expect([code, signal]).toEqual([130, null]);
  expect(readdirSync(folder)).toEqual(['large']);
});

test('killed at any moment it leaves a whole session or none, and the old one as it was', async () => {
  const folder = temporaryDirectory();
  const large = join(folder, 'large');
  writeSession(
    large,
    Array.from({ length: 400 }, () => ({ functionName: 'f', inputs: { arg_0: tensorOf('float32', [1]) } })),
  );
  const before = bytesOf(large);
  let whole = 0;
  for (let round = 0; round < 8; round++) {
    const out = join(folder, `out${round}`);
    const { signal } = await runFir(['filter', large, '-o', out], {
      onSpawn: (pid) => {
        const kill = () => {
          try {
            process.kill(pid, 'SIGKILL');
          } catch {
            // It has ended.
          }
        };
        setTimeout(kill, 20 + 70 * round);
      },
    });
    if (signal === null) expect(existsSync(out)).toBe(true);
    if (!existsSync(out)) continue;
    whole += 1;
    expect(openSession(out).calls).toHaveLength(400);
  }
  expect(whole).toBeLessThan(8);
  expect(bytesOf(large)).toBe(before);
});
