import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { repository, runFir, temporaryDirectory } from '../support/fir.js';
import { replayJson } from '../support/replay-json.js';
import { expectValid } from '../support/schema.js';
import { gzippedTar, tarEntry } from '../support/tar-blocks.js';
import { captureProgram, sharedDirectory } from './captured.js';

const APP = ['--app', repository];
const PACKS = ['calls.tar.gz', 'calls.tar.zst'] as const;

const shared = sharedDirectory();
const session = join(shared, 'session');

beforeAll(async () => {
  const captured = await captureProgram(session, ['use-planners.mjs', '3', 'more']);
  expect(captured.code).toBe(0);
});

/** A directory for temporary files that has to be empty in the end. */
function temporaryFiles(): { env: NodeJS.ProcessEnv; left: () => string[] } {
  const path = join(temporaryDirectory(), 'tmp');
  mkdirSync(path);
  return { env: { TMPDIR: path }, left: () => readdirSync(path) };
}

describe.each(PACKS)('%s', (name) => {
  test('holds what -o holds, and every command reads it', async () => {
    const dir = temporaryDirectory();
    const pack = join(dir, name);
    const out = join(dir, 'out');
    const { env, left } = temporaryFiles();
    const flags = ['--include', 'A.run', '--last', '2'];
    const filtered = await runFir(['filter', session, '-o', out, '--pack', pack, ...flags, '--json'], {
      env,
    });
    expect([filtered.code, filtered.stderr]).toEqual([0, '']);
    const document = JSON.parse(filtered.stdout);
    expectValid(document);
    expect(document).toMatchObject({
      dryRun: false,
      written: { path: out },
      packed: { path: pack, bytes: statSync(pack).size },
    });
    const alone = join(dir, `alone.${name}`);
    expect(await runFir(['filter', session, '--pack', alone, ...flags], { env })).toMatchObject({ code: 0 });
    expect(readdirSync(dir).sort()).toEqual([`alone.${name}`, name, 'out'].sort());

    const whole = await replayJson(out, APP);
    for (const packed of [pack, alone]) {
      const replayed = await replayJson(packed, APP, { env });
      expect(replayed.verdicts).toEqual(whole.verdicts);
      expect(replayed.calls.map(({ dump }) => dump)).toEqual(whole.calls.map(({ dump }) => dump));
      expect(replayed.code).toBe(whole.code);
    }
    const [inspected, unpacked] = await Promise.all(
      [pack, out].map(async (path) =>
        JSON.parse((await runFir(['inspect', path, '--json', '--hash'], { env })).stdout),
      ),
    );
    expect(inspected.session.path).toBe(pack);
    expect({ ...inspected, session: { ...inspected.session, path: out } }).toEqual(unpacked);

    const again = join(dir, 'again');
    expect(await runFir(['filter', pack, '-o', again, '--last', '1'], { env })).toMatchObject({ code: 0 });
    expect((await replayJson(again, APP)).code).toBe(0);
    expect(left()).toEqual([]);
  });
});

test('the report names the pack, and what went into it', async () => {
  const pack = join(temporaryDirectory(), 'one.tar.zst');
  const { stdout } = await runFir(['filter', session, '--pack', pack, '--call', '1']);
  expect(stdout).toMatch(
    /1 call selected of \d+; 1 call, \d+\.\d KiB \(was .*\) as \d+(\.\d)? K?i?B in .*one\.tar\.zst\n$/,
  );
  expect(stdout).not.toContain('shared with the old session');
});

test('nothing is selected: nothing is packed', async () => {
  const dir = temporaryDirectory();
  const { code } = await runFir(['filter', session, '--pack', join(dir, 'x.tar.gz'), '--include', 'nothing']);
  expect([code, readdirSync(dir)]).toEqual([3, []]);
});

test('a pack that must not be written is told before anything is', async () => {
  const dir = temporaryDirectory();
  const taken = join(dir, 'taken.tar.gz');
  writeFileSync(taken, '');
  for (const pack of [taken, join(dir, 'x.zip'), join(session, 'x.tar.gz')]) {
    const { code, stderr } = await runFir(['filter', session, '-o', join(dir, 'out'), '--pack', pack]);
    expect([code, stderr.includes(pack)]).toEqual([2, true]);
  }
  expect(readdirSync(dir)).toEqual(['taken.tar.gz']);
  expect(readdirSync(session)).not.toContain('x.tar.gz');
});

test('a pack is not pruned', async () => {
  const pack = join(temporaryDirectory(), 'x.tar.gz');
  await runFir(['filter', session, '--pack', pack, '--last', '1']);
  const { size } = statSync(pack);
  const { code, stderr } = await runFir(['prune', pack, '--max-count', '0', '--yes']);
  expect([code, stderr]).toEqual([2, expect.stringContaining('is a packed session')]);
  expect(statSync(pack).size).toBe(size);
});

test('a hostile pack is refused by every command, and nothing of it stays', async () => {
  const dir = temporaryDirectory();
  const pack = join(dir, 'hostile.tar.gz');
  const entries = [
    tarEntry({ path: 's/session.jsonl', content: '{}\n' }),
    tarEntry({ path: 's/f_call0001/inputs.pt', type: '2', target: '/etc/passwd' }),
  ];
  writeFileSync(pack, gzippedTar(entries));
  const { env, left } = temporaryFiles();
  for (const command of [
    ['inspect', pack],
    ['replay', pack],
    ['filter', pack, '-o', join(dir, 'out')],
  ]) {
    const { code, stdout } = await runFir([...command, '--json'], { env });
    const document = JSON.parse(stdout);
    expectValid(document);
    expect([code, document.error]).toMatchObject([2, { code: 'UNSAFE_PATH' }]);
  }
  expect([readdirSync(dir), left()]).toEqual([['hostile.tar.gz'], []]);
});

test('an error tells of the pack, not of where it was unpacked', async () => {
  const pack = join(temporaryDirectory(), 'empty.tar.gz');
  writeFileSync(pack, gzippedTar([tarEntry({ path: 's/extracted.json', content: '{}\n' })]));
  const { env, left } = temporaryFiles();
  const { code, stderr } = await runFir(['inspect', pack], { env });
  expect([code, left()]).toEqual([2, []]);
  expect(stderr).toContain(`${pack} holds no recorded session`);
  expect(stderr).not.toContain('fir-unpacked');
});

describe.each(['SIGINT', 'SIGTERM'] as const)('%s while a pack is unpacked', (signal) => {
  test.each(['inspect', 'replay', 'filter'])('leaves nothing behind: %s', async (command) => {
    const dir = temporaryDirectory();
    const pack = join(dir, 'large.tar.gz');
    // Four gigabytes of zeros, which are passed over.
    const zeros = gzipSync(Buffer.alloc(2 ** 24));
    writeFileSync(
      pack,
      Buffer.concat([
        gzipSync(
          Buffer.concat([tarEntry({ path: 's/session.jsonl' }), tarEntry({ path: 'zeros', size: 2 ** 32 })]),
        ),
        ...Array.from({ length: 256 }, () => zeros),
        gzipSync(Buffer.alloc(1024)),
      ]),
    );
    const { env, left } = temporaryFiles();
    const args = command === 'filter' ? [command, pack, '-o', join(dir, 'out')] : [command, pack];
    const ended = runFir(args, {
      env,
      onSpawn(pid) {
        const timer = setInterval(() => {
          if (left().length === 0) return;
          clearInterval(timer);
          process.kill(pid, signal);
        }, 5);
      },
    });
    expect((await ended).code).toBe(130);
    expect([left(), readdirSync(dir)]).toEqual([[], ['large.tar.gz']]);
  });
});
