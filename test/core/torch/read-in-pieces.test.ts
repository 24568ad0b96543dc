import { closeSync, openSync, writeSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TorchFile, type TorchStorage } from '../../../src/core/torch/index.js';
import { dict, pickle, tensor } from './raw-pickle.js';
import { placeArchive, torchRecords } from './raw-zip.js';
import { tensorOf } from './read-tensor.js';

const BYTES = 2 ** 20 + 17;
const HALF = 2 ** 19;
const content = new Uint8Array(BYTES).map((_, index) => index * 31 + (index >> 8));
const PICKLE = pickle(dict(['a', tensor({ elements: BYTES, storageClass: 'ByteStorage', shape: [BYTES] })]));
const damaged = expect.objectContaining({
  code: 'TORCH_INVALID',
  message: expect.stringContaining('record "archive/data/0" is damaged'),
});

function place(isSound = true): string {
  const records = torchRecords(PICKLE, { 0: content });
  return placeArchive(
    isSound
      ? records
      : records.map((record) => (record.name.endsWith('data/0') ? { ...record, crc: 0xdeadbeef } : record)),
  );
}

function withStorage(path: string, use: (file: TorchFile, storage: TorchStorage) => void): void {
  const file = TorchFile.open(path);
  try {
    use(file, tensorOf(file, 'a').storage);
  } finally {
    file.close();
  }
}

/** Changes the byte at `at` of the storage where the file stands on disk. */
function changeByte(path: string, storage: TorchStorage, at: number): void {
  const fd = openSync(path, 'r+');
  writeSync(fd, Uint8Array.of(~(content[at] ?? 0)), 0, 1, (storage.region?.begin ?? 0) + at);
  closeSync(fd);
}

describe('a storage that is read in pieces', () => {
  it('gives the right bytes and is checked, whatever the order of the pieces', () => {
    const sound = place();
    const unsound = place(false);
    const position = fc.oneof(fc.constantFrom(0, HALF, BYTES), fc.nat(BYTES));
    const cuts = fc.array(position, { maxLength: 6 });
    fc.assert(
      fc.property(cuts, fc.boolean(), fc.boolean(), (given, isOrdered, isSound) => {
        const ends = isOrdered ? [...given, BYTES].sort((a, b) => a - b) : given;
        withStorage(isSound ? sound : unsound, (file, storage) => {
          let last = 0;
          for (const end of ends) {
            const [begin, limit] = [Math.min(last, end), Math.max(last, end)];
            last = end;
            if (limit - begin === BYTES && !isSound) continue;
            const bytes = file.readRange(storage, begin, limit);
            expect(Buffer.compare(bytes, content.subarray(begin, limit))).toBe(0);
          }
          if (isSound) file.verify(storage);
          else expect(() => file.verify(storage)).toThrow(damaged);
        });
      }),
      { numRuns: 60 },
    );
  });

  it('in order is held against the checksum as it was read, not as the file is afterwards', () => {
    const path = place();
    withStorage(path, (file, storage) => {
      file.readRange(storage, 0, HALF);
      file.readRange(storage, HALF, BYTES);
      changeByte(path, storage, 7);
      file.verify(storage);
    });
    withStorage(path, (file, storage) => {
      file.readRange(storage, 0, HALF);
      expect(() => file.verify(storage)).toThrow(damaged);
      expect(() => file.verify(storage)).toThrow(damaged);
    });
  });

  it('of which the rest was not read is checked to its end', () => {
    const path = place();
    withStorage(path, (file, storage) => {
      file.readRange(storage, 0, HALF);
      changeByte(path, storage, HALF + 1);
      expect(() => file.verify(storage)).toThrow(damaged);
    });
  });

  it('out of order is checked as a whole', () => {
    const path = place();
    withStorage(path, (file, storage) => {
      file.readRange(storage, 1, HALF);
      file.readRange(storage, HALF, BYTES);
      changeByte(path, storage, 3);
      expect(() => file.verify(storage)).toThrow(damaged);
    });
  });

  it('again from its beginning is checked anew', () => {
    const path = place();
    withStorage(path, (file, storage) => {
      file.readRange(storage, 0, HALF);
      changeByte(path, storage, 5);
      file.readRange(storage, 0, HALF);
      file.readRange(storage, HALF, BYTES);
      expect(() => file.verify(storage)).toThrow(damaged);
    });
  });
});
