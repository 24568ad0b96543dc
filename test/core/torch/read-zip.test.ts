import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { TorchFile } from '../../../src/core/torch/index.js';
import { dict, pickle, tensor } from './raw-pickle.js';
import { placeArchive, placeBytes, type RawRecord, torchRecords } from './raw-zip.js';
import { reasonOf, tensorOf, valuesOf } from './read-tensor.js';

const FLOATS = new Float32Array([1, 2, 3, 4]);
const CONTENT = new Uint8Array(FLOATS.buffer);
const PICKLE = pickle(dict(['a', tensor()]));
const MIB = 2 ** 20;

function floatsOf(path: string): number[] {
  const file = TorchFile.open(path);
  try {
    const { storage } = tensorOf(file, 'a');
    file.verify(storage);
    const { region } = storage;
    if (region !== undefined)
      expect(readFileSync(path).subarray(region.begin, region.end)).toEqual(Buffer.from(CONTENT));
    return [...new Float32Array(valuesOf(file, 'a').slice().buffer)];
  } finally {
    file.close();
  }
}

const records = torchRecords(PICKLE, { 0: CONTENT });

it.each([
  ['with zip64 end records', records, {}],
  ['without them', records, { zip64: false }],
  ['with a comment', records, { comment: 'PK\x05\x06 is no end record here' }],
  ['with other alignment', records.map((record) => ({ ...record, align: 1024 })), {}],
  ['with checksums switched off', records.map((record) => ({ ...record, crc: 0 })), {}],
  ['deflated', records.map((record) => ({ ...record, deflate: true })), {}],
  ['with records in another order', records.toReversed(), {}],
  [
    'with a top folder of another name',
    rename(records, (name) => name.replace('archive', 'été à la mer')),
    {},
  ],
  ['without a top folder', rename(records, (name) => name.replace('archive/', '')), {}],
  ['with folders as records', [{ name: 'archive/', content: new Uint8Array() }, ...records], {}],
  [
    'with side files',
    [
      ...records,
      { name: 'archive/.format_version', content: Buffer.from('1') },
      { name: 'archive/.storage_alignment', content: Buffer.from('64') },
      { name: 'archive/.data/serialization_id', content: Buffer.from('1234') },
      { name: 'archive/extra/data.pkl', content: Buffer.from('x') },
    ],
    {},
  ],
  ['without its byte order', records.filter(({ name }) => !name.endsWith('byteorder')), {}],
])('an archive %s is read', (_, given, archive) => {
  expect(floatsOf(placeArchive(given, archive))).toEqual([1, 2, 3, 4]);
});

function rename(given: readonly RawRecord[], change: (name: string) => string): RawRecord[] {
  return given.map((record) => ({ ...record, name: change(record.name) }));
}

it('a compressed storage stands nowhere in the file byte for byte, and any range of it is read', () => {
  const file = TorchFile.open(placeArchive(records.map((record) => ({ ...record, deflate: true }))));
  const { storage } = tensorOf(file, 'a');
  expect(storage.region).toBeUndefined();
  expect(file.readRange(storage, 4, 12)).toEqual(CONTENT.slice(4, 12));
  expect(file.readRange(storage, 8, 16)).toEqual(CONTENT.slice(8, 16));
});

it('ranges are read into the memory that is given', () => {
  const file = TorchFile.open(placeArchive(records));
  const { storage } = tensorOf(file, 'a');
  const into = new Uint8Array(20);
  expect(file.readRange(storage, 4, 12, into).byteLength).toBe(8);
  expect(into.subarray(0, 8)).toEqual(CONTENT.subarray(4, 12));
  for (const [begin, end] of [
    [0, 17],
    [-1, 4],
    [4, 0],
    [0.5, 4],
    [Number.NaN, 4],
  ] as const) {
    expect(() => file.readRange(storage, begin, end)).toThrow(
      expect.objectContaining({ code: 'TENSOR_DATA_MISSING' }),
    );
  }
  expect(() => file.readRange(storage, 0, 16, new Uint8Array(8))).toThrow(
    expect.objectContaining({ code: 'TENSOR_DATA_MISSING' }),
  );
});

it('an empty storage is read', () => {
  const empty = pickle(dict(['a', tensor({ elements: 0, shape: [0, 3], stride: [3, 1] })]));
  const file = TorchFile.open(placeArchive(torchRecords(empty, { 0: new Uint8Array() })));
  const { storage, shape } = tensorOf(file, 'a');
  expect([storage.byteLength, shape]).toEqual([0, [0, 3]]);
  file.verify(storage);
  expect(file.readRange(storage, 0, 0)).toEqual(new Uint8Array());
});

it('a wrong checksum is an error that names the record: of the pickle always, of a storage when it is read whole or verified', () => {
  const damaged = (suffix: string) =>
    placeArchive(
      records.map((record) => (record.name.endsWith(suffix) ? { ...record, crc: 0xdeadbeef } : record)),
    );
  expect(() => TorchFile.open(damaged('data.pkl'))).toThrow(
    expect.objectContaining({
      code: 'TORCH_INVALID',
      message: expect.stringMatching(
        /^record "archive\/data\.pkl" is damaged: its checksum is \w{8}, but the archive says deadbeef$/,
      ),
    }),
  );
  const path = damaged('data/0');
  const file = TorchFile.open(path);
  const { storage } = tensorOf(file, 'a');
  expect(file.readRange(storage, 0, 4)).toEqual(CONTENT.slice(0, 4));
  const fault = expect.objectContaining({
    code: 'TORCH_INVALID',
    where: path,
    message: expect.stringContaining('record "archive/data/0" is damaged'),
  });
  expect(() => file.verify(storage)).toThrow(fault);
  expect(() => file.readRange(storage, 0, 16)).toThrow(fault);
});

it('a record beyond 4 GiB is read where it is', () => {
  const far = pickle(
    dict(['far', tensor({ key: '1' })], ['near', tensor({ elements: 2 ** 31, shape: [3], stride: [1] })]),
  );
  const [first, ...rest] = torchRecords(far, { 0: new Uint8Array(), 1: CONTENT });
  const holed = rest.map((record) =>
    record.name.endsWith('data/0') ? { ...record, hole: 2 ** 33, crc: 0 } : record,
  );
  if (first === undefined) throw new Error('no records');
  const file = TorchFile.open(placeArchive([first, ...holed]));
  const { storage } = tensorOf(file, 'far');
  expect(storage.region?.begin).toBeGreaterThan(2 ** 33);
  expect(file.readRange(storage, 0, 16)).toEqual(CONTENT.slice());
  const near = tensorOf(file, 'near').storage;
  expect(near.byteLength).toBe(2 ** 33);
  expect(file.readRange(near, 2 ** 33 - 4, 2 ** 33)).toEqual(new Uint8Array(4));
  file.close();
});

it('a storage of several chunks is checked and read', () => {
  const content = new Uint8Array(3 * MIB + 17).map((_, index) => index * 31 + (index >> 8));
  const large = pickle(
    dict(['a', tensor({ elements: content.length, storageClass: 'ByteStorage', shape: [content.length] })]),
  );
  const path = placeArchive(torchRecords(large, { 0: content }));
  const file = TorchFile.open(path);
  const { storage } = tensorOf(file, 'a');
  file.verify(storage);
  expect(Buffer.compare(file.readRange(storage, MIB, 2 * MIB), content.subarray(MIB, 2 * MIB))).toBe(0);
  const again = TorchFile.open(path);
  expect(Buffer.compare(again.readRange(tensorOf(again, 'a').storage, 0, content.length), content)).toBe(0);
  file.close();
  again.close();
  expect(() => file.readRange(storage, 0, 4)).toThrow(expect.objectContaining({ code: 'INTERNAL' }));
});

it('what the storage does not hold is the reason of the one tensor', () => {
  const values = dict(
    ['good', tensor()],
    ['missing', tensor({ key: '7' })],
    ['long', tensor({ shape: [5] })],
    ['far', tensor({ offset: 1 })],
    ['negative', tensor({ stride: [-1] })],
    ['claims', tensor({ elements: 100 })],
    ['huge', tensor({ shape: [2n ** 62n] })],
    ['overflows', tensor({ shape: [2 ** 40, 2 ** 40], stride: [0, 0] })],
    ['wide', tensor({ shape: [2 ** 40], stride: [2 ** 40] })],
  );
  const file = TorchFile.open(placeArchive(torchRecords(pickle(values), { 0: CONTENT })));
  expect(tensorOf(file, 'good').shape).toEqual([4]);
  const reasons = [...file.entries.keys()].slice(1).map((key) => `${key}: ${reasonOf(file, key)}`);
  expect(reasons).toMatchInlineSnapshot(`
    [
      "missing: its record "data/7" is missing",
      "long: shape [5] with stride [1] and offset 0 of float32 reaches byte 20 of a storage of 16 bytes",
      "far: shape [4] with stride [1] and offset 1 of float32 reaches byte 20 of a storage of 16 bytes",
      "negative: offset 0 or stride [-1] is not a count",
      "claims: its storage claims 100 elements of float32, but its record "data/0" has 16 bytes",
      "huge: its shape, stride or offset is not made of counts",
      "overflows: shape [1099511627776, 1099511627776] has more than 2^53 elements",
      "wide: stride [1099511627776] reaches past 2^53 elements",
    ]
  `);
});

it.each([
  ['an empty file', '', 'an empty file'],
  [
    'a tar archive',
    `${'\0'.repeat(257)}ustar${'\0'.repeat(600)}`,
    'a tar archive, as torch.save wrote before 0.1.10',
  ],
  ['a safetensors file', '\x08\0\0\0\0\0\0\0{}      ', 'a safetensors file'],
  [
    'a Git LFS pointer',
    'version https://git-lfs.github.com/spec/v1\noid sha256:0\n',
    'a Git LFS pointer, whose content `git lfs pull` brings',
  ],
  ['a page', '<!DOCTYPE html><html></html>', 'an HTML page'],
  ['an empty archive', `PK\x05\x06${'\0'.repeat(18)}`, 'an empty zip archive'],
  ['text', 'hello', 'plain text'],
])('%s is named as what it is', (_, content, looks) => {
  const path = placeBytes(Buffer.from(content, 'latin1'));
  expect(() => TorchFile.open(path)).toThrow(
    expect.objectContaining({
      code: 'TORCH_INVALID',
      message: `not a torch.save file (looks like ${looks})`,
      where: path,
    }),
  );
});

it('a zip archive of something else is named', () => {
  const path = placeArchive([{ name: 'word/document.xml', content: Buffer.from('<x/>') }]);
  expect(() => TorchFile.open(path)).toThrow(
    /looks like a zip archive of something else: no data\.pkl in it/,
  );
});

it('a file that is not there is NOT_FOUND, a directory is no torch.save file', () => {
  expect(() => TorchFile.open('/nowhere/x.pt')).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
  expect(() => TorchFile.open(fileURLToPath(new URL('.', import.meta.url)))).toThrow(
    expect.objectContaining({ code: 'TORCH_INVALID' }),
  );
});

it('a file that is cut anywhere is an error', () => {
  const path = join(fileURLToPath(new URL('../../fixtures/torch/', import.meta.url)), 'tensor.pt');
  const whole = readFileSync(path);
  for (let length = 0; length < whole.length; length++) {
    expect(() => TorchFile.open(placeBytes(whole.subarray(0, length)))).toThrow(
      expect.objectContaining({ code: 'TORCH_INVALID' }),
    );
  }
});
