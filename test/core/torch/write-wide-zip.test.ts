import { spawnSync } from 'node:child_process';
import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { layOutZip, type ZipEntry, type ZipLayout } from '../../../src/core/torch/zip-writer.js';
import { pythonWithTorch } from '../../support/python.js';
import { makeTempDir } from '../../support/temp-dir.js';

const GIB = 2 ** 30;
const WIDE_END = 'PK\x06\x06';

const LIST = `
import json, sys, zipfile
archive = zipfile.ZipFile(sys.argv[1])
entries = archive.infolist()
json.dump({
    "count": len(entries),
    "sizes": {entry.filename: entry.file_size for entry in entries},
    "offsets": {entry.filename: entry.header_offset for entry in entries},
    "last": archive.read(entries[-1]).decode(),
}, sys.stdout)`;

interface Listing {
  count: number;
  sizes: Record<string, number>;
  offsets: Record<string, number>;
  last: string;
}

function entry(name: string, text: string): ZipEntry {
  return { name, pieces: [Buffer.from(text)], byteLength: text.length };
}

/** An entry whose data is a hole in the file. */
function hole(name: string, byteLength: number): ZipEntry {
  return { name, pieces: [], byteLength };
}

/** What an archive holds by Python's own reader. */
async function listedByPython(path: string): Promise<Listing> {
  const done = spawnSync(await pythonWithTorch(), ['-c', LIST, path], {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });
  if (done.status !== 0) throw new Error(done.stderr);
  return JSON.parse(done.stdout) as Listing;
}

/** Writes an archive with holes where its data is none. */
function writeSparse(path: string, entries: readonly ZipEntry[]): ZipLayout {
  const layout = layOutZip(entries);
  const pieces = [...layout.pieces];
  const fd = openSync(path, 'w');
  let position = 0;
  const put = (): void => {
    position += writeSync(fd, pieces.shift() ?? new Uint8Array(), 0, undefined, position);
  };
  for (const { byteLength, pieces: data } of entries) {
    put();
    if (data.length === 0) position += byteLength;
    else put();
  }
  put();
  closeSync(fd);
  expect([position, pieces]).toEqual([layout.byteLength, []]);
  return layout;
}

it('entries and offsets past 4 GiB are read by others', async () => {
  const path = join(makeTempDir(), 'wide.zip');
  const { begins } = writeSparse(path, [
    entry('small', 'a'),
    hole('just below', 2 ** 32 - 2),
    hole('at the limit', 2 ** 32 - 1),
    hole('large', 6 * GIB),
    entry('after', 'the end'),
  ]);
  const listed = await listedByPython(path);
  expect(listed).toMatchObject({
    count: 5,
    sizes: { small: 1, 'just below': 2 ** 32 - 2, 'at the limit': 2 ** 32 - 1, large: 6 * GIB, after: 7 },
    last: 'the end',
  });
  expect(begins.every((begin) => begin % 64 === 0)).toBe(true);
  expect(listed.offsets['after']).toBeGreaterThan(14 * GIB);
});

it('more entries than 16 bits count are read by others, and no fewer make it wide', async () => {
  const path = join(makeTempDir(), 'many.zip');
  const entries = Array.from({ length: 65_536 }, (_, index) => entry(`${index}`, ''));
  const archiveOf = (some: readonly ZipEntry[]): Buffer => Buffer.concat(layOutZip(some).pieces);
  writeFileSync(path, archiveOf([...entries, entry('last', 'one')]));
  expect(await listedByPython(path)).toMatchObject({ count: 65_537, last: 'one' });
  expect(archiveOf(entries.slice(0, 65_534)).includes(WIDE_END)).toBe(false);
  expect(archiveOf(entries.slice(0, 65_535)).includes(WIDE_END)).toBe(true);
});
