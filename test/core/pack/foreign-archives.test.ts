import { cpSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { treeOf } from '../../support/file-tree.js';
import { repository, runProcess } from '../../support/fir.js';
import { unpack, unpackBytes } from '../../support/packs.js';
import { gzippedTar, paxEntry, tarEntry, tarOf } from '../../support/tar-blocks.js';
import { makeTempDir } from '../../support/temp-dir.js';

const FIXTURES = join(repository, 'test/fixtures/flashinfer');
const FIXTURE = join(FIXTURES, 'graph_flush');
const LONG = `20261124_143217_000_pid7_${'é'.repeat(100)}_call0001`;

async function tar(args: readonly string[], cwd: string): Promise<void> {
  const { code, stderr } = await runProcess('tar', args, { cwd });
  if (code !== 0) throw new Error(`tar ${args.join(' ')}: ${stderr}`);
}

/** A session with a name that no plain header holds. */
function longNamed(): string {
  const dir = makeTempDir();
  cpSync(FIXTURE, join(dir, 'fir_dumps'), { recursive: true });
  const [dump = ''] = Object.keys(treeOf(FIXTURE)).filter((name) => /^[^/]+call0001\/$/.test(name));
  renameSync(join(dir, 'fir_dumps', dump), join(dir, 'fir_dumps', LONG));
  return dir;
}

test.each(['gnu', 'ustar', 'pax'])('what tar makes of a session opens: %s', async (format) => {
  const dir = longNamed();
  // Plain ustar has no room for the long name.
  if (format === 'ustar') renameSync(join(dir, 'fir_dumps', LONG), join(dir, 'fir_dumps', 'short_call0001'));
  await tar([`--format=${format}`, '-czf', 'x.tar.gz', 'fir_dumps'], dir);
  expect(treeOf(await unpack(join(dir, 'x.tar.gz')))).toEqual(treeOf(join(dir, 'fir_dumps')));
});

test('the folder may be named from inside, or not at all', async () => {
  const dir = longNamed();
  const session = join(dir, 'fir_dumps');
  await tar(['-czf', join(dir, 'dot.tgz'), '.'], session);
  await tar(['-czf', join(dir, 'dotted.tgz'), './fir_dumps'], dir);
  await tar(
    [
      '-czf',
      join(dir, 'bare.tgz'),
      ...Object.keys(treeOf(session)).filter((name) => /^[^/]+\/?$/.test(name)),
    ],
    session,
  );
  for (const name of ['dot.tgz', 'dotted.tgz', 'bare.tgz']) {
    expect(treeOf(await unpack(join(dir, name))), name).toEqual(treeOf(session));
  }
});

test('hard links between files of a session come out as such', async () => {
  const content = 'c'.repeat(64);
  const hold = `f_call0001/${content}.blob`;
  const root = await unpackBytes(
    gzippedTar([
      tarEntry({ path: `s/${hold}`, content: 'weights' }),
      tarEntry({ path: `s/blobs/${content}`, type: '1', target: `s/${hold}` }),
    ]),
  );
  expect(treeOf(root)).toMatchObject({ [hold]: treeOf(root)[`blobs/${content}`] });
});

test('what is no part of a session is passed over', async () => {
  const root = await unpackBytes(
    gzippedTar([
      paxEntry({ comment: 'made elsewhere' }, 'g'),
      tarEntry({ path: 's/', type: '5' }),
      tarEntry({ path: 's/README', content: 'hello' }),
      tarEntry({ path: 's/empty_call0001/', type: '5' }),
      tarEntry({ path: 's/session.jsonl', content: '{}\n' }),
      tarEntry({ path: 's/.dropped/x_call0001/metadata.jsonl', content: '{}\n' }),
      tarEntry({ path: 's/._session.jsonl', content: 'resource fork' }),
      tarEntry({ path: 's/a_call0001/script.sh', content: 'rm' }),
      tarEntry({ path: 's/a_call0001/deeper/inputs.pt', content: 'x' }),
      tarEntry({ path: 'other/session.jsonl', content: 'another' }),
    ]),
  );
  expect(treeOf(root)).toEqual({
    'empty_call0001/': null,
    'session.jsonl': Buffer.from('{}\n').toString('base64'),
  });
});

test('an archive ends where it says, and padding is fine', async () => {
  const entries = [tarEntry({ path: 'session.jsonl', content: '{}\n' })];
  const padded = Buffer.concat([tarOf(entries), Buffer.alloc(20 * 512)]);
  expect(Object.keys(treeOf(await unpackBytes(gzipSync(padded))))).toEqual(['session.jsonl']);
});

test('members of gzip one behind the other are one pack', async () => {
  const archive = tarOf([tarEntry({ path: 'session.jsonl', content: 'x'.repeat(5000) })]);
  const members = Buffer.concat([gzipSync(archive.subarray(0, 1000)), gzipSync(archive.subarray(1000))]);
  expect(Object.keys(treeOf(await unpackBytes(members)))).toEqual(['session.jsonl']);
});

test('a frame of the zstd program, with its checksum, opens', async () => {
  const root = await unpack(join(repository, 'test/fixtures/packs/by-zstd.tar.zst'));
  expect(treeOf(root)).toEqual(treeOf(join(FIXTURES, 'torn_tail')));
});
