import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { compress } from '../../../src/core/pack/coders.js';
import { treeOf } from '../../support/file-tree.js';
import { unpackBytes } from '../../support/packs.js';
import { gzippedTar, paxEntry, tarEntry, tarOf } from '../../support/tar-blocks.js';

const SESSION = tarEntry({ path: 's/session.jsonl', content: '{}\n' });
const DUMP = 's/f_call0001';

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}

async function zstd(bytes: Buffer): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of compress(once(bytes), 'zstd')) pieces.push(piece);
  return Buffer.concat(pieces);
}

test.each([
  ['an absolute path', '/tmp/fir-escaped/session.jsonl'],
  ['a step up', 's/../../fir-escaped/session.jsonl'],
  ['a step up at the end', 's/f_call0001/..'],
  ['a step up behind a dot', './../session.jsonl'],
  ['a dot in the middle', 's/./session.jsonl'],
  ['a doubled slash', 's//session.jsonl'],
  ['backslashes', 's\\..\\..\\session.jsonl'],
  ['a name that no file system holds', `${DUMP}${'x'.repeat(300)}/metadata.jsonl`],
  ['a path of slashes', `s${'/'.repeat(500_000)}x`],
])('%s is refused', async (_, path) => {
  const bytes = gzippedTar([SESSION, paxEntry({ path }), tarEntry({ path: 'short', content: 'x' })]);
  await expect(unpackBytes(bytes)).rejects.toMatchObject({ code: 'UNSAFE_PATH' });
  expect(existsSync('/tmp/fir-escaped')).toBe(false);
});

test.each([
  ['a symbolic link', '2', 'a symbolic link'],
  ['a character device', '3', 'a device'],
  ['a block device', '4', 'a device'],
  ['a named pipe', '6', 'a pipe'],
  ['a sparse file', 'S', 'a special file'],
  ['a part of a volume', 'M', 'a special file'],
  ['a type of nobody', '!', 'a special file'],
])('%s is refused, wherever it stands', async (_, type, told) => {
  for (const path of [`${DUMP}/inputs.pt`, 's/elsewhere', 'outside']) {
    const bytes = gzippedTar([SESSION, tarEntry({ path, type, target: '/etc/passwd' })]);
    await expect(unpackBytes(bytes), path).rejects.toMatchObject({
      code: 'UNSAFE_PATH',
      message: expect.stringContaining(told),
    });
  }
});

test('a directory that is a link first, and then has files, is refused', async () => {
  const bytes = gzippedTar([
    SESSION,
    tarEntry({ path: DUMP, type: '2', target: '/tmp' }),
    tarEntry({ path: `${DUMP}/inputs.pt`, content: 'x' }),
  ]);
  await expect(unpackBytes(bytes)).rejects.toMatchObject({ code: 'UNSAFE_PATH' });
});

test.each([
  ['out of the pack', '/etc/passwd', 'UNSAFE_PATH'],
  ['up', 's/../../x', 'UNSAFE_PATH'],
  ['to what is no file of a session', 's/README', 'UNSAFE_PATH'],
  ['to a file of another folder', 'other/session.jsonl', 'UNSAFE_PATH'],
  ['to a file that comes later', `${DUMP}/outputs.pt`, 'PACK_INVALID'],
  ['to itself', `${DUMP}/inputs.pt`, 'PACK_INVALID'],
  ['to a directory', DUMP, 'UNSAFE_PATH'],
])('a hard link %s is refused', async (_, target, code) => {
  const bytes = gzippedTar([
    SESSION,
    tarEntry({ path: `${DUMP}/inputs.pt`, type: '1', target }),
    tarEntry({ path: `${DUMP}/outputs.pt`, content: 'x' }),
  ]);
  await expect(unpackBytes(bytes)).rejects.toMatchObject({ code });
});

test('a hard link with content is refused', async () => {
  const bytes = gzippedTar([
    SESSION,
    tarEntry({ path: 's/a_call0001/inputs.pt', type: '1', target: 's/session.jsonl', content: 'x' }),
  ]);
  await expect(unpackBytes(bytes)).rejects.toMatchObject({ code: 'PACK_INVALID' });
});

test.each([
  ['two files', [SESSION, SESSION]],
  [
    'a file and a link',
    [SESSION, tarEntry({ path: 's/session.jsonl', type: '1', target: 's/session.jsonl' })],
  ],
  ['a file and a directory', [SESSION, tarEntry({ path: 's/session.jsonl/metadata.jsonl', content: 'x' })]],
  [
    'a directory and a file',
    [SESSION, tarEntry({ path: 's/session.2.jsonl/', type: '5' }), tarEntry({ path: 's/session.2.jsonl' })],
  ],
])('%s of one name are refused', async (_, entries) => {
  await expect(unpackBytes(gzippedTar(entries))).rejects.toMatchObject({
    code: 'UNSAFE_PATH',
    message: expect.stringContaining('same name'),
  });
});

test('names that differ in case, or in how a letter is put together, are never one file', async () => {
  const names = ['F_call0001', 'f_call0001', 'caf\u00e9_call0001', 'cafe\u0301_call0001'];
  const bytes = gzippedTar([
    SESSION,
    ...names.map((name) => tarEntry({ path: `s/${name}/metadata.jsonl`, content: name })),
  ]);
  const root = await unpackBytes(bytes).catch((error) => error);
  // Where the file system takes them for one, they are refused.
  if (root instanceof Error) expect(root).toMatchObject({ code: 'UNSAFE_PATH' });
  else {
    const tree = treeOf(root);
    for (const name of names) {
      expect(Buffer.from(tree[`${name}/metadata.jsonl`] ?? '', 'base64').toString()).toBe(name);
    }
  }
});

test('a file of terabytes is refused by its header, in both ways of writing it', async () => {
  const size = 2 ** 43;
  const claimed = tarEntry({ path: `${DUMP}/inputs.pt`, size });
  const pax = [paxEntry({ size: String(size) }), tarEntry({ path: `${DUMP}/inputs.pt` })];
  for (const entries of [[claimed], pax, [tarEntry({ path: 'passed-over', size })]]) {
    await expect(unpackBytes(gzippedTar([SESSION, ...entries]))).rejects.toMatchObject({ code: 'TOO_LARGE' });
  }
});

test.each([
  ['negative', Buffer.concat([Buffer.from([0xff]), Buffer.alloc(11, 0xff)]).toString('latin1')],
  ['no number', 'zzzzzzzzzzz'],
  ['a fraction', undefined],
])('a size that is %s is refused', async (_, size) => {
  const entries =
    size === undefined
      ? [paxEntry({ size: '1.5' }), tarEntry({ path: `${DUMP}/inputs.pt`, content: 'xx' })]
      : [tarEntry({ path: `${DUMP}/inputs.pt`, size })];
  await expect(unpackBytes(gzippedTar([SESSION, ...entries]))).rejects.toMatchObject({
    code: 'PACK_INVALID',
  });
});

test('what a few bytes blow up to ends at the limit, without memory for it', async () => {
  const limits = { bytes: 64 * 2 ** 20, entries: 100 };
  const zeros = Buffer.alloc(80 * 2 ** 20);
  const files = [0, 1].map((index) =>
    tarEntry({
      path: `s/f_call000${index}/inputs.pt`,
      content: zeros.subarray(index * 40 * 2 ** 20, (index + 1) * 40 * 2 ** 20),
    }),
  );
  const archive = tarOf([SESSION, ...files]);
  for (const bytes of [gzipSync(archive), await zstd(archive)]) {
    expect(bytes.length).toBeLessThan(200_000);
    await expect(unpackBytes(bytes, limits)).rejects.toMatchObject({ code: 'TOO_LARGE' });
  }
  // The limit counts what is passed over, too.
  const hidden = tarOf([
    SESSION,
    tarEntry({ path: 'a', content: zeros.subarray(0, 40 * 2 ** 20) }),
    tarEntry({ path: 'b', content: zeros.subarray(0, 40 * 2 ** 20) }),
  ]);
  await expect(unpackBytes(gzipSync(hidden), limits)).rejects.toMatchObject({ code: 'TOO_LARGE' });
});

test('more files than the limit are refused', async () => {
  const limits = { bytes: 2 ** 30, entries: 1000 };
  const files = Array.from({ length: 1000 }, (_, index) => tarEntry({ path: `s/f_call${index}/inputs.pt` }));
  await expect(unpackBytes(gzippedTar([SESSION, ...files]), limits)).rejects.toMatchObject({
    code: 'TOO_LARGE',
  });
  const directories = Array.from({ length: 1001 }, (_, index) => tarEntry({ path: `d${index}/`, type: '5' }));
  await expect(unpackBytes(gzippedTar(directories), limits)).rejects.toMatchObject({ code: 'TOO_LARGE' });
});

test('names of megabytes are refused', async () => {
  const content = 'x'.repeat(2 * 2 ** 20);
  for (const type of ['x', 'L', 'K']) {
    const bytes = gzippedTar([
      SESSION,
      tarEntry({ path: '././@LongLink', type, content }),
      tarEntry({ path: 'x' }),
    ]);
    await expect(unpackBytes(bytes)).rejects.toMatchObject({ code: 'PACK_INVALID' });
  }
});

test('a window of gigabytes is not allocated', async () => {
  // A frame whose header asks for a window of 2 GiB, with one block of zeros.
  const frame = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 0x03, 0x00, 0x10, 0x00]);
  await expect(unpackBytes(frame)).rejects.toMatchObject({ code: 'PACK_INVALID' });
  // One of 64 MiB is too much for the decoder, which has to work all the same afterwards.
  frame[5] = 0x80;
  await expect(unpackBytes(frame)).rejects.toMatchObject({
    code: 'PACK_INVALID',
    message: expect.stringContaining('a window of more than 8 MiB'),
  });
  expect(readdirSync(await unpackBytes(await zstd(tarOf([SESSION]))))).toEqual(['session.jsonl']);
});

test('a pack that was cut short anywhere is refused', async () => {
  const archive = tarOf([SESSION, tarEntry({ path: `${DUMP}/inputs.pt`, content: 'x'.repeat(3000) })]);
  for (const packed of [gzipSync(archive), await zstd(archive)]) {
    for (let end = 4; end < packed.length - 9; end += 7) {
      await expect(unpackBytes(packed.subarray(0, end)), String(end)).rejects.toMatchObject({
        code: 'PACK_INVALID',
      });
    }
  }
  for (let end = 0; end < archive.length; end += 256) {
    await expect(unpackBytes(gzipSync(archive.subarray(0, end))), String(end)).rejects.toMatchObject({
      code: 'PACK_INVALID',
    });
  }
});

test('what follows the end is refused', async () => {
  const archive = tarOf([SESSION]);
  const garbage = Buffer.alloc(600, 'garbage');
  for (const bytes of [
    Buffer.concat([gzipSync(archive), garbage]),
    Buffer.concat([gzipSync(archive), Buffer.alloc(100), garbage]),
    gzipSync(Buffer.concat([archive, garbage])),
    Buffer.concat([await zstd(archive), garbage]),
    await zstd(Buffer.concat([archive, SESSION])),
    gzipSync(Buffer.concat([SESSION, Buffer.alloc(512), SESSION, Buffer.alloc(1024)])),
  ]) {
    await expect(unpackBytes(bytes)).rejects.toMatchObject({ code: 'PACK_INVALID' });
  }
});

test('damage in the compressed bytes, or in a header, is refused', async () => {
  const packed = gzippedTar([SESSION]);
  packed[packed.length - 6] = (packed[packed.length - 6] ?? 0) ^ 0xff;
  const wrong = gzippedTar([SESSION, tarEntry({ path: 's/session.2.jsonl', checksum: 1 })]);
  for (const bytes of [packed, wrong]) {
    await expect(unpackBytes(bytes)).rejects.toMatchObject({ code: 'PACK_INVALID' });
  }
});

test('what is compressed twice, or no archive, is told as that', async () => {
  const archive = tarOf([SESSION]);
  for (const bytes of [
    await zstd(gzipSync(archive)),
    gzipSync(await zstd(archive)),
    gzipSync(gzipSync(archive)),
  ]) {
    await expect(unpackBytes(bytes)).rejects.toMatchObject({ code: 'PACK_INVALID' });
  }
  const large = gzipSync(gzipSync(randomBytes(2000)));
  await expect(unpackBytes(large)).rejects.toMatchObject({
    message: expect.stringContaining('compressed twice'),
  });
  const long = gzipSync(Buffer.alloc(2000, 'no archive'));
  await expect(unpackBytes(long)).rejects.toMatchObject({
    message: expect.stringContaining('no tar archive'),
  });
});

test('a pack of nothing, or of other files, is no session', async () => {
  for (const entries of [
    [],
    [tarEntry({ path: 'README', content: 'x' })],
    [tarEntry({ path: 's/', type: '5' })],
  ]) {
    await expect(unpackBytes(gzippedTar(entries))).rejects.toMatchObject({ code: 'NOT_A_SESSION' });
  }
});

test('names that mean something to JavaScript are plain names', async () => {
  const root = await unpackBytes(
    gzippedTar([
      paxEntry({ path: '__proto__/session.jsonl', __proto__: 'x', constructor: 'x', hasOwnProperty: 'x' }),
      tarEntry({ path: 'x', content: '{}\n' }),
      tarEntry({ path: '__proto__/constructor/inputs.pt', content: 'x' }),
    ]),
  );
  expect(readdirSync(root).sort()).toEqual(['constructor', 'session.jsonl']);
  expect(readdirSync(join(root, 'constructor'))).toEqual(['inputs.pt']);
});
