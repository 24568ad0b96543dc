import { existsSync, lstatSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runFir, temporaryDirectory } from '../support/fir.js';
import { namesIn, takenBy } from '../support/session-size.js';
import { captureProgram, readCaptured } from './captured.js';
import { faultsIn, replaySummary, watch } from './rotated.js';

const ROTATE = ['--on-limit', 'rotate'];

function sessionPath(): string {
  return join(temporaryDirectory(), 'session');
}

describe('a program that makes more calls than are kept', () => {
  it('leaves the newest, with all that they need, and every one of them replays', async () => {
    const session = sessionPath();
    const flags = [...ROTATE, '--max-count', '40'];
    const { stderr } = await captureProgram(session, ['rotate-calls.mjs', '60'], { flags });
    const { calls, processes } = readCaptured(session);
    expect(calls).toHaveLength(40);
    expect(faultsIn(session)).toEqual([]);
    const sequences = calls.map(({ fir }) => fir.sequence);
    const last = sequences.at(-1) ?? 0;
    // The newest are all there; what is older than the newest forty is there for them.
    expect(sequences.slice(-25)).toEqual(Array.from({ length: 25 }, (_, index) => last - 24 + index));
    expect(
      calls.filter(({ fir }) => fir.sequence <= last - 40).every(({ name }) => /^Sum|copyOf/.test(name)),
    ).toBe(true);
    expect(processes[0]?.dropped).toMatchObject({ limit: 0, rotated: last - 40 });
    expect(stderr).toContain(`fir: ${last - 40} older calls dropped at the limit\n`);
    expect(await replaySummary(session)).toMatch(/^\d+ passed, \d ran, 0 mismatches, 0 skipped of 40 calls/);
    expect(existsSync(join(session, 'session.jsonl'))).toBe(false);
    expect(namesIn(join(session, '.dropped'))).toEqual([]);
  });

  it('stays within a size, at every moment', async () => {
    const session = sessionPath();
    const limit = 300 * 1024;
    const flags = [...ROTATE, '--max-size', String(limit / 1024 ** 3)];
    const run = captureProgram(session, ['rotate-calls.mjs', '80', '0', '8192'], { flags });
    const { bytes } = await watch(session, run);
    const { calls, bytes: left } = takenBy(session);
    expect(bytes).toBeLessThanOrEqual(limit + 40 * 1024);
    expect(left).toBeLessThanOrEqual(limit);
    expect(left).toBeGreaterThan(limit / 2);
    expect(calls).toBeGreaterThan(10);
    expect(faultsIn(session)).toEqual([]);
  });

  it('keeps an object’s calls apart from it where they alone would fill the session, and says so', async () => {
    const session = sessionPath();
    const flags = [...ROTATE, '--max-count', '30'];
    const { stderr } = await captureProgram(session, ['long-history.mjs', '60'], { flags });
    const { calls, processes } = readCaptured(session);
    const lost = calls.filter(({ fir }) => fir.dropped !== undefined);
    expect(calls).toHaveLength(30);
    expect(lost.length).toBeGreaterThan(5);
    expect(calls.at(-2)).toMatchObject({ name: 'Sum.add', fir: { dropped: { state: expect.any(Number) } } });
    expect(processes[0]?.dropped.states).toEqual({ Sum: 1 });
    expect(stderr).toContain('fir dropped earlier calls on an object of class Sum at the limit');
    expect(stderr).toContain(
      "later calls of 1 Sum object can't be replayed: earlier ones that made their state were dropped\n",
    );
    const summary = await replaySummary(session);
    expect(summary).toMatch(new RegExp(`0 mismatches, ${lost.length} skipped of 30 calls`));
    const inspected = JSON.parse((await runFir(['inspect', session, '--json'])).stdout);
    const reasons = inspected.calls.flatMap((call: { reasons: string[] }) => call.reasons);
    expect(reasons).toHaveLength(lost.length);
    expect(reasons.at(-1)).toMatch(/^\d+ earlier calls on the object were dropped at the limit$/);
  });
});

describe('threads and processes together', () => {
  it('hold the limits of the session, eight processes at once', async () => {
    const session = sessionPath();
    const flags = [...ROTATE, '--max-count', '120'];
    const run = captureProgram(session, ['rotate-together.mjs', '8', '25'], { flags });
    const { result, calls: most } = await watch(session, run);
    expect(result.code).toBe(0);
    expect(most).toBeLessThanOrEqual(120);
    const { calls } = readCaptured(session);
    expect(calls.length).toBeLessThanOrEqual(120);
    expect(calls.length).toBeGreaterThan(80);
    expect(new Set(calls.map(({ processUid }) => processUid)).size).toBeGreaterThan(1);
    expect(faultsIn(session)).toEqual([]);
    expect(await replaySummary(session)).toMatch(/ 0 mismatches, \d+ skipped of \d+ calls/);
  });

  it('hold them as worker threads of one process', async () => {
    const session = sessionPath();
    const flags = [...ROTATE, '--max-count', '60'];
    const run = captureProgram(session, ['rotate-calls.mjs', '25', '3'], { flags });
    const { result, calls: most } = await watch(session, run);
    expect(result).toMatchObject({ code: 0, stdout: 'done\n' });
    expect(most).toBeLessThanOrEqual(60);
    expect(new Set(readCaptured(session).calls.map(({ processUid }) => processUid)).size).toBeGreaterThan(1);
    expect(faultsIn(session)).toEqual([]);
  });

  it('take the room of processes that have ended, the first to end before the others', async () => {
    const session = sessionPath();
    const flags = [...ROTATE, '--max-count', '100'];
    const uids: string[][] = [];
    for (let run = 0; run < 4; run += 1) {
      await captureProgram(session, ['rotate-calls.mjs', '5'], { flags });
      const { calls } = readCaptured(session);
      expect(calls.length).toBeLessThanOrEqual(100);
      expect(faultsIn(session)).toEqual([]);
      uids.push([...new Set(calls.map(({ processUid }) => processUid))]);
    }
    const [first] = uids[0] ?? [];
    expect(uids[1]).toContain(first);
    expect(uids[3]).not.toContain(first);
    expect(uids[3]?.length).toBe(3);
    // Nothing is left of a process without calls but its header.
    expect(namesIn(session).some((name) => name.startsWith(`session.${first}.`))).toBe(false);
  });
});

describe('a limit for each function', () => {
  it('leaves room for those that are called later', async () => {
    const session = sessionPath();
    const flags = ['--max-count', '100', '--max-per-function', '50'];
    const { stderr } = await captureProgram(session, ['hot-function.mjs'], { flags });
    const { calls, processes } = readCaptured(session);
    expect(calls.map(({ name }) => name)).toEqual([...Array(50).fill('hot'), 'rare', 'rare', 'rare']);
    expect(processes[0]?.dropped).toEqual({ limit: 950, filter: 0, error: 0, functions: { hot: 950 } });
    expect(stderr).toContain('calls skipped: 950 over --max-count, --max-size or --max-per-function\n');
  });

  it('keeps the newest of each where calls rotate', async () => {
    const session = sessionPath();
    const flags = [...ROTATE, '--max-per-function', '4'];
    await captureProgram(session, ['hot-function.mjs'], { flags });
    const { calls, processes } = readCaptured(session);
    expect(calls.map(({ record }) => record.input_metadata['arg_0'])).toEqual([996, 997, 998, 999, 0, 1, 2]);
    expect(processes[0]?.dropped).toEqual({
      limit: 0,
      filter: 0,
      error: 0,
      rotated: 996,
      functions: { hot: 996 },
    });
  });
});

describe('what stands in a session already', () => {
  it('is left alone where it is not the recorder’s own, whatever the files say', async () => {
    const session = sessionPath();
    const outside = temporaryDirectory();
    const mine = join(session, '20261124_143217_012_pid4242_mine_call0001');
    mkdirSync(mine, { recursive: true });
    mkdirSync(join(session, 'processes'));
    writeFileSync(join(mine, 'metadata.jsonl'), '{}\n');
    writeFileSync(join(outside, 'precious'), 'x');
    symlinkSync(outside, join(session, '.dropped'));
    symlinkSync(join(outside, 'precious'), join(session, '.usage'));
    symlinkSync(outside, join(session, '20261124_143217_013_pid4242_link_call0001'));
    // The index of a process that has ended, as it says.
    const uid = '00112233445566aa';
    const lines = [
      '20261124_143217_012_pid4242_mine_call0001',
      '20261124_143217_013_pid4242_link_call0001',
      'processes',
      '..',
      '../x',
    ].map(
      (dump, index) =>
        `{"function_name":"mine","execution_status":"completed","dump_dir":"${dump}","fir":{"version":1,"process_uid":"${uid}","sequence":${index + 1},"parent":null}}\n`,
    );
    writeFileSync(join(session, `session.${uid}.1.jsonl`), lines.join(''));
    const flags = [...ROTATE, '--max-count', '10'];
    const { code, stdout } = await captureProgram(session, ['rotate-calls.mjs', '10'], { flags });
    expect([code, stdout]).toEqual([0, 'done\n']);
    expect(readFileSync(join(outside, 'precious'), 'utf8')).toBe('x');
    expect(namesIn(outside)).toEqual(['precious']);
    expect(existsSync(join(mine, 'metadata.jsonl'))).toBe(true);
    expect(lstatSync(join(session, 'processes')).isDirectory()).toBe(true);
    expect(lstatSync(join(session, '.usage')).isFile()).toBe(true);
    expect(lstatSync(join(session, '.dropped')).isDirectory()).toBe(true);
    expect(takenBy(session).calls).toBe(12);
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['noise', Buffer.from(Array.from({ length: 1000 }, (_, index) => (index * 37) % 256))],
    [
      'a header and noise',
      Buffer.concat([Buffer.from('fir.usage/1\n'.padEnd(128, '\0')), Buffer.alloc(256, 0xff)]),
    ],
  ])('is counted anew where the usage file holds %s', async (_what, bytes) => {
    const session = sessionPath();
    const flags = [...ROTATE, '--max-count', '50'];
    await captureProgram(session, ['rotate-calls.mjs', '4'], { flags });
    const before = takenBy(session).calls;
    writeFileSync(join(session, '.usage'), bytes);
    await captureProgram(session, ['rotate-calls.mjs', '4'], { flags });
    expect(before).toBeGreaterThan(30);
    expect(takenBy(session).calls).toBeLessThanOrEqual(50);
    expect(faultsIn(session)).toEqual([]);
  });
});
