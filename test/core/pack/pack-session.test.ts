import {
  cpSync,
  linkSync,
  mkdirSync,
  readdirSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PackFile } from '../../../src/core/pack/pack-session.js';
import { sessionEntries } from '../../../src/core/pack/session-files.js';
import { openSession } from '../../../src/core/session/index.js';
import { treeOf } from '../../support/file-tree.js';
import { repository } from '../../support/fir.js';
import { packTo, unpack } from '../../support/packs.js';
import { runPython } from '../../support/python.js';
import { writeRecorded } from '../../support/recorded-session.js';
import { makeTempDir } from '../../support/temp-dir.js';

const NAMES = ['session.tar.gz', 'session.tar.zst'] as const;
const FIXTURE = join(repository, 'test/fixtures/flashinfer/graph_flush');

test.each(NAMES)('%s gives the session back, file by file', async (name) => {
  const pack = join(makeTempDir(), name);
  await packTo(pack, FIXTURE);
  const root = await unpack(pack);
  expect(treeOf(root)).toEqual(treeOf(FIXTURE));
  expect(statSync(pack).mode & 0o777).toBe(0o600);
  expect(statSync(root).mode & 0o777).toBe(0o700);
  expect(statSync(join(root, 'session.jsonl')).mode & 0o777).toBe(0o600);
});

test.each(NAMES)('%s is the same whatever the times, modes and order of the files', async (name) => {
  const dir = makeTempDir();
  const copy = join(dir, 'elsewhere');
  mkdirSync(copy, { mode: 0o755 });
  for (const entry of readdirSync(FIXTURE).sort().reverse()) {
    cpSync(join(FIXTURE, entry), join(copy, entry), { recursive: true });
    utimesSync(join(copy, entry), 1, 1);
  }
  const first = await packTo(join(dir, name), FIXTURE);
  expect((await packTo(join(dir, `again.${name}`), copy)).equals(first)).toBe(true);
});

test.each(NAMES)('%s holds large files and long names', async (name) => {
  const dir = makeTempDir();
  const session = join(dir, 'long');
  const dumps = [`20261124_143217_000_pid7_${'é'.repeat(110)}_call0001`, `${'x'.repeat(230)}_call0001`];
  for (const dump of dumps) {
    mkdirSync(join(session, dump, 'graph_flushes', 'flush_0001'), { recursive: true });
    writeFileSync(join(session, dump, 'metadata.jsonl'), '{}\n');
    writeFileSync(
      join(session, dump, 'graph_flushes', 'flush_0001', 'inputs.pt'),
      Buffer.alloc(700_001, dump),
    );
  }
  writeFileSync(join(session, 'session.jsonl'), '');
  const pack = join(dir, name);
  await packTo(pack, session);
  expect(treeOf(await unpack(pack))).toEqual(treeOf(session));
});

test("a dump's hold on a content is a link in the pack, whether or not it is one on the disk", async () => {
  const dir = makeTempDir();
  const linked = join(dir, 'linked');
  writeRecorded(linked, [{ inputs: { arg_0: new Float32Array(100_000) }, blobs: ['arg_0'] }], 'safetensors');
  const [sha256 = ''] = readdirSync(join(linked, 'blobs'));
  const hold = join('20261124_143217_000_pid7_f_call0001', `${sha256}.blob`);
  const copied = join(dir, 'copied');
  cpSync(linked, copied, { recursive: true });
  linkSync(join(linked, 'blobs', sha256), join(linked, hold));
  cpSync(join(copied, 'blobs', sha256), join(copied, hold));

  const pack = join(dir, 'linked.tar.gz');
  const bytes = await packTo(pack, linked);
  expect((await packTo(join(dir, 'copied.tar.gz'), copied)).equals(bytes)).toBe(true);
  const root = await unpack(pack);
  expect(treeOf(root)).toEqual(treeOf(linked));
  expect(statSync(join(root, hold)).ino).toBe(statSync(join(root, 'blobs', sha256)).ino);
  expect(openSession(root).calls).toHaveLength(1);
});

test('what is no part of a session stays out, and so do symbolic links', async () => {
  const dir = makeTempDir();
  const session = join(dir, 'session');
  writeRecorded(session, [{ inputs: { arg_0: new Float32Array(2) } }], 'torch');
  const clean = treeOf(session);
  const [dump = ''] = readdirSync(session).filter((name) => name.endsWith('call0001'));
  writeFileSync(join(session, 'notes.txt'), 'mine');
  writeFileSync(join(session, dump, 'notes.txt'), 'mine');
  mkdirSync(join(session, '.dropped', dump), { recursive: true });
  writeFileSync(join(session, '.dropped', dump, 'metadata.jsonl'), '{}\n');
  symlinkSync('/etc', join(session, 'processes'));
  symlinkSync('/etc/hosts', join(session, dump, 'outputs.pt'));
  await packTo(join(dir, 'x.tar.gz'), session);
  expect(treeOf(await unpack(join(dir, 'x.tar.gz')))).toEqual(clean);
});

test('other tools read what is written', async () => {
  const dir = makeTempDir();
  const pack = join(dir, 'session.tar.gz');
  await packTo(pack, FIXTURE);
  const script = [
    'import sys, tarfile',
    'with tarfile.open(sys.argv[1]) as archive:',
    '    members = archive.getmembers()',
    '    assert all(m.isfile() or m.isdir() for m in members)',
    '    assert {(m.uid, m.gid, m.uname, m.mtime) for m in members} == {(0, 0, "", 315532800)}',
    '    archive.extractall(sys.argv[2])',
  ];
  await runPython('python3', ['-W', 'ignore', '-c', script.join('\n'), pack, dir]);
  expect(treeOf(join(dir, 'session'))).toEqual(treeOf(FIXTURE));
});

test('entries stand in the order of their names, behind the index', () => {
  const [first, ...others] = Array.from(sessionEntries(FIXTURE), ({ path }) => path);
  expect(first).toBe('session.jsonl');
  expect(others).toEqual(others.toSorted());
  expect(others.length).toBeGreaterThan(30);
});

test('a pack is not written over anything, nor into the session, nor under a name of no pack', () => {
  const dir = makeTempDir();
  const session = join(dir, 'session');
  writeRecorded(session, [{ inputs: { arg_0: new Float32Array(2) } }], 'torch');
  writeFileSync(join(dir, 'taken.tar.gz'), '');
  symlinkSync('nowhere', join(dir, 'link.tar.gz'));
  for (const path of ['taken.tar.gz', 'link.tar.gz', 'session/x.tar.gz', 'x.tar', 'x.zip', 'tar.gz']) {
    expect(() => PackFile.begin(join(dir, path), session), path).toThrow(
      expect.objectContaining({ code: 'USAGE', where: join(dir, path) }),
    );
  }
  expect(() => PackFile.begin(join(dir, 'none/x.tar.gz'), session)).toThrow(
    expect.objectContaining({ code: 'IO_FAILED' }),
  );
  expect(readdirSync(dir).sort()).toEqual(['link.tar.gz', 'session', 'taken.tar.gz']);
});

test('a pack that fails leaves nothing behind', async () => {
  const dir = makeTempDir();
  const session = join(dir, 'session');
  writeRecorded(session, [{ inputs: { arg_0: new Float32Array(2) } }], 'torch');
  const file = PackFile.begin(join(dir, 'x.tar.zst'), session);
  cpSync(session, file.scratch, { recursive: true });
  await expect(file.write(file.scratch, AbortSignal.abort())).rejects.toMatchObject({ code: 'INTERRUPTED' });
  file.discard();
  expect(readdirSync(dir)).toEqual(['session']);
});
