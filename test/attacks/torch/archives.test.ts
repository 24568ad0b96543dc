import { execFileSync } from 'node:child_process';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { TorchFile } from '../../../src/core/torch/index.js';
import { dict, pickle, tensor } from '../../core/torch/raw-pickle.js';
import {
  archivePieces,
  placeArchive,
  placeBytes,
  type RawArchive,
  type RawRecord,
  torchRecords,
} from '../../core/torch/raw-zip.js';
import { tensorOf } from '../../core/torch/read-tensor.js';
import { makeTempDir } from '../../support/temp-dir.js';
import { faultOf } from './open-pickle.js';

const MIB = 2 ** 20;
const CONTENT = new Uint8Array(new Float32Array([1, 2, 3, 4]).buffer);
const records = torchRecords(pickle(dict(['a', tensor()])), { 0: CONTENT });

/** The archive with the record of the storage changed. */
function changed(change: Partial<RawRecord>, archive?: RawArchive): string {
  return placeArchive(
    records.map((record) => (record.name.endsWith('data/0') ? { ...record, ...change } : record)),
    archive,
  );
}

describe('an archive that lies about its records', () => {
  it.each<[string, Partial<RawRecord>, string]>([
    ['a record over another', { headerBegin: 0 }, 'overlap'],
    ['a record in the middle of another', { headerBegin: 20 }, 'overlap'],
    ['a record past the file', { headerBegin: 10 ** 9 }, 'reaches to byte 10000'],
    ['a record past 2^53', { headerBegin: 2 ** 53 + 2 }, 'claims a size or offset of 9007199254740994'],
    ['a record that begins nowhere', { headerBegin: 0xffff_fffe }, 'reaches to byte 42949'],
    [
      'more bytes than it has room for',
      { storedBytes: 10 ** 6, byteLength: 10 ** 6 },
      'reaches to byte 1000',
    ],
    [
      'more bytes than there can be',
      { storedBytes: 2 ** 52, byteLength: 2 ** 52 },
      'reaches to byte 45035996',
    ],
    ['two sizes', { byteLength: 17 }, 'is stored, but claims 17 bytes in 16'],
    [
      'other sizes in its own header',
      { localBytes: 12 },
      'is 12 bytes by its header and 16 by the directory',
    ],
    ['another name in its own header', { localName: 'archive/data/9' }, 'no header of it at byte'],
    ['encryption', { flags: 0x0809 }, 'record "archive/data/0" is encrypted'],
    ['a method that nobody reads', { method: 93 }, 'is compressed by method 93: only deflate is read'],
    ['a name that there is already', { name: 'archive/version' }, 'two records are called "archive/version"'],
  ])('%s', (_, change, expected) => {
    expect(faultOf(() => TorchFile.open(changed(change)))).toContain(expected);
  });

  it.each<[string, RawArchive, string]>([
    ['4 billion records', { entries: 2 ** 32 }, '4294967296 records are more than the 131072'],
    [
      '65,535 records',
      { entries: 0xffff },
      'the directory is too short for the 65535 records that it claims',
    ],
    ['one record more than there are', { entries: 5 }, 'the directory is damaged: no record at byte'],
    ['a directory past the file', { directoryBegin: 10 ** 12 }, 'does not lie before its end record'],
    ['a directory of 2^52 bytes', { directoryBytes: 2 ** 52 }, 'does not lie before its end record'],
    ['a directory elsewhere', { directoryBegin: 3 }, 'the directory is damaged: no record at byte 3'],
    ['a zip64 end record past the file', { end64Begin: 2 ** 40 }, 'does not lie before its locator'],
    ['a zip64 end record elsewhere', { end64Begin: 0 }, 'no zip64 end record at 0'],
  ])('%s', (_, archive, expected) => {
    const before = process.memoryUsage().rss;
    expect(faultOf(() => TorchFile.open(placeArchive(records, archive)))).toContain(expected);
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * MIB);
  });

  it('a directory of 3 GiB is not read', () => {
    const hole = { name: 'archive/data/1', content: new Uint8Array(), hole: 3 * 2 ** 30, crc: 0 };
    const path = placeArchive([...records, hole], { directoryBegin: 100, directoryBytes: 3 * 2 ** 30 });
    expect(faultOf(() => TorchFile.open(path))).toBe(
      'a directory of 3221225472 bytes is larger than the 67108864 that are read',
    );
  });

  it('end records that disagree', () => {
    const pieces = archivePieces(records);
    const bytes = Buffer.concat(pieces.map(({ bytes: piece }) => piece));
    bytes.writeUInt16LE(3, bytes.length - 12);
    expect(faultOf(() => TorchFile.open(placeBytes(bytes)))).toBe(
      'the two end records of the archive disagree: 3 and 4',
    );
  });

  it('two folders that both look like the one', () => {
    const second = records.map((record) => ({ ...record, name: record.name.replace('archive', 'other') }));
    expect(faultOf(() => TorchFile.open(placeArchive([...records, ...second])))).toBe(
      'two folders hold a data.pkl: "other/" and "archive/"',
    );
  });

  it('a byte order that is none', () => {
    const path = placeArchive(
      records.map((record) =>
        record.name.endsWith('byteorder') ? { ...record, content: Buffer.from('middle') } : record,
      ),
    );
    expect(faultOf(() => TorchFile.open(path))).toBe('its byte order is "middle", which is not known');
  });
});

describe('compression', () => {
  const zeros = new Uint8Array(64 * MIB);

  it('a pickle that inflates past its bound is not inflated', () => {
    const [first, ...rest] = records;
    if (first === undefined) throw new Error('no records');
    const bomb = { ...first, content: deflateRawSync(zeros), method: 8, byteLength: zeros.length };
    expect(faultOf(() => TorchFile.open(placeArchive([bomb, ...rest])))).toBe(
      'record "archive/data.pkl" of 67108864 bytes is larger than the 33554432 that are read',
    );
  });

  it('a record that inflates to more than it claims ends at its claim', () => {
    const path = changed({ content: deflateRawSync(zeros), method: 8, byteLength: 16 });
    const before = process.memoryUsage().rss;
    const file = TorchFile.open(path);
    const { storage } = tensorOf(file, 'a');
    expect(faultOf(() => file.readRange(storage, 0, 16))).toContain('claims 16 bytes from');
    expect(process.memoryUsage().rss - before).toBeLessThan(32 * MIB);
  });

  it.each<[string, Partial<RawRecord>, string]>([
    [
      'a little more',
      { content: deflateRawSync(zeros.subarray(0, 1000)), byteLength: 16 },
      'can not be inflated',
    ],
    ['less', { content: deflateRawSync(zeros.subarray(0, 4)), byteLength: 16 }, 'inflates to 4 bytes'],
    ['nothing that is deflated', { content: CONTENT, byteLength: 16 }, 'can not be inflated'],
    [
      'a stream that is cut',
      { content: deflateRawSync(CONTENT).subarray(0, 8), byteLength: 16 },
      'can not be inflated',
    ],
  ])('a storage that is %s than it claims', (_, change, expected) => {
    const file = TorchFile.open(changed({ ...change, method: 8 }));
    const { storage } = tensorOf(file, 'a');
    expect(faultOf(() => file.readRange(storage, 0, 16))).toContain(expected);
    expect(faultOf(() => file.verify(storage))).toContain(expected);
  });

  it('a storage that claims more than deflate can make, or than fits', () => {
    const wide = (byteLength: number) =>
      torchRecords(pickle(dict(['a', tensor({ elements: byteLength / 4 })]))).concat({
        name: 'archive/data/0',
        content: deflateRawSync(zeros),
        method: 8,
        byteLength,
      });
    for (const [byteLength, expected] of [
      [2 ** 28, 'claims 268435456 bytes from'],
      [2 ** 40, 'is larger than the 536870912 that are read'],
    ] as const) {
      const file = TorchFile.open(placeArchive(wide(byteLength)));
      const { storage } = tensorOf(file, 'a');
      const before = process.memoryUsage().rss;
      expect(faultOf(() => file.verify(storage))).toContain(expected);
      expect(process.memoryUsage().rss - before).toBeLessThan(64 * MIB);
    }
  });
});

describe('what is no file, or no longer', () => {
  it('a named pipe makes nobody wait', () => {
    const path = join(makeTempDir(), 'pipe.pt');
    execFileSync('mkfifo', [path]);
    expect(faultOf(() => TorchFile.open(path))).toContain('not a regular file');
  });

  it('a file that shrinks while it is read is an error, not made up', () => {
    const content = new Uint8Array(MIB).fill(7);
    const large = torchRecords(
      pickle(dict(['a', tensor({ elements: MIB, storageClass: 'ByteStorage', shape: [MIB] })])),
      { 0: content },
    );
    const path = placeArchive(large);
    const file = TorchFile.open(path);
    truncateSync(path, 1000);
    const { storage } = tensorOf(file, 'a');
    expect(faultOf(() => file.readRange(storage, 0, MIB))).toContain('it shrank');
    expect(faultOf(() => file.verify(storage))).toContain('it shrank');
    writeFileSync(path, '');
    file.close();
  });

  it('a sparse file of 16 GiB is known by its start', () => {
    const path = placeBytes(Buffer.from('PK\x03\x04'));
    truncateSync(path, 2 ** 34);
    const before = process.memoryUsage().rss;
    expect(faultOf(() => TorchFile.open(path))).toContain('the archive is cut short');
    expect(process.memoryUsage().rss - before).toBeLessThan(32 * MIB);
  });
});
