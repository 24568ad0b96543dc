import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FirError } from '../../../src/core/errors.js';
import type { DtypeName } from '../../../src/core/model/dtype.js';
import { encodeTorch } from '../../../src/core/torch/encode-torch.js';
import { TorchFile, type TorchTensor, type TorchWrite, writeTorch } from '../../../src/core/torch/index.js';
import { makeTempDir } from '../../support/temp-dir.js';
import { loadWithTorch } from './load-torch.js';
import { viewOf } from './random-views.js';

const MIB = 1 << 20;

function write(tensors: readonly TorchWrite[]): string {
  const path = join(makeTempDir(), 'tensors.pt');
  writeTorch(path, tensors);
  return path;
}

/** Tensors by key as our own reader has them. */
function read(path: string): Record<string, TorchTensor> {
  const file = TorchFile.open(path);
  file.close();
  return Object.fromEntries(file.entries) as Record<string, TorchTensor>;
}

/** Contiguous elements over some memory. */
function flat(key: string, memory: ArrayBuffer, dtype: DtypeName, size: number, byteOffset = 0): TorchWrite {
  return viewOf(key, memory, dtype, [size], [1], byteOffset);
}

function faultOf(work: () => unknown): FirError {
  try {
    work();
  } catch (error) {
    if (error instanceof FirError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('a storage', () => {
  it('holds what the views of its memory cover and no more', () => {
    const memory = new ArrayBuffer(64 * MIB);
    const path = write([flat('view', memory, 'float32', 16, 32 * MIB)]);
    expect(read(path)['view']).toMatchObject({ shape: [16], offset: 0, storage: { byteLength: 64 } });
    expect(statSync(path).size).toBeLessThan(2048);
  });

  it('is shared by its views, which keep their distances', () => {
    const memory = new ArrayBuffer(4096);
    const { a, b, all } = read(
      write([
        flat('a', memory, 'int16', 4, 1000),
        flat('b', memory, 'int16', 4, 1004),
        viewOf('all', memory, 'int16', [2, 8], [10, 1], 990),
      ]),
    );
    expect([a?.offset, b?.offset, all?.offset]).toEqual([5, 7, 0]);
    expect(b?.storage).toBe(a?.storage);
    expect(all?.storage).toBe(a?.storage);
    expect(a?.storage.byteLength).toBe(36);
  });

  it('has zeros where memory lies between its views', () => {
    const memory = Uint8Array.from({ length: 100 }, () => 0xff).buffer;
    const path = write([flat('low', memory, 'uint8', 2, 10), flat('high', memory, 'uint8', 2, 20)]);
    const file = TorchFile.open(path);
    const storage = (file.entries.get('low') as TorchTensor).storage;
    expect([...file.readRange(storage, 0, storage.byteLength)]).toEqual([
      255, 255, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255,
    ]);
    file.close();
  });

  it('is one for each view where more lies between them than they cover, and much', () => {
    const memory = new ArrayBuffer(64 * MIB);
    const tensors = [
      flat('low', memory, 'float32', 16),
      flat('high', memory, 'float32', 16, 48 * MIB),
      flat('high again', memory, 'float32', 8, 48 * MIB + 32),
    ];
    const path = write(tensors);
    const { low, high, 'high again': again } = read(path);
    expect(low?.storage).not.toBe(high?.storage);
    expect(again?.storage).toBe(high?.storage);
    expect(statSync(path).size).toBeLessThan(4096);
  });

  it('stays what it is for an expanded tensor', () => {
    const memory = Float32Array.of(1, 2, 3).buffer;
    const { wide } = read(write([viewOf('wide', memory, 'float32', [1000, 3], [0, 1])]));
    expect(wide).toMatchObject({ shape: [1000, 3], stride: [0, 1], storage: { byteLength: 12 } });
  });

  it('is one for each dtype, since a typed storage has one', () => {
    const memory = Float32Array.of(1, 2).buffer;
    const { floats, bytes } = read(
      write([flat('floats', memory, 'float32', 2), flat('bytes', memory, 'uint8', 8)]),
    );
    expect(floats?.storage).not.toBe(bytes?.storage);
    expect(bytes?.storage.byteLength).toBe(8);
  });

  it('is one of several dtypes where one of them is of a newer torch', () => {
    const memory = new ArrayBuffer(64);
    const { floats, words, bytes } = read(
      write([
        flat('bytes', memory, 'uint8', 3, 13),
        flat('words', memory, 'uint16', 3, 14),
        flat('floats', memory, 'float64', 1, 16),
      ]),
    );
    expect(new Set([floats?.storage, words?.storage, bytes?.storage]).size).toBe(1);
    expect([bytes?.offset, words?.offset, floats?.offset]).toEqual([5, 3, 1]);
  });

  it.each(['int32', 'uint16'] as const)(
    'is one for each misalignment of %s, since offsets are whole elements',
    (dtype) => {
      const memory = Uint8Array.from({ length: 64 }, (_, index) => index).buffer;
      const path = write([
        flat('even', memory, dtype, 4, 4),
        flat('odd', memory, dtype, 4, 5),
        flat('odd too', memory, dtype, 2, 9),
      ]);
      const { even, odd, 'odd too': oddToo } = read(path);
      expect(even?.storage).not.toBe(odd?.storage);
      expect(oddToo?.storage).toBe(odd?.storage);
      const file = TorchFile.open(path);
      expect(file.readRange((odd as TorchTensor).storage, 0, 1)).toEqual(Uint8Array.of(5));
      file.close();
    },
  );
});

describe('a file', () => {
  it('has its records in order, stored, aligned, whole and private', () => {
    const path = write([flat('x', new ArrayBuffer(8), 'int64', 1), flat('y', new ArrayBuffer(1), 'bool', 1)]);
    const bytes = readFileSync(path);
    const names = [...bytes.toString('latin1').matchAll(/PK\x01\x02.{42}([\w./]+?)(?=PK)/gs)].map(
      ([, name]) => name,
    );
    expect(names).toEqual(
      ['data.pkl', 'byteorder', 'data/0', 'data/1', 'version'].map((name) => `archive/${name}`),
    );
    for (const tensor of Object.values(read(path))) expect((tensor.storage.region?.begin ?? 1) % 64).toBe(0);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(path).size).toBe(
      writeTorch(`${path}.2`, [
        flat('x', new ArrayBuffer(8), 'int64', 1),
        flat('y', new ArrayBuffer(1), 'bool', 1),
      ]),
    );
  });

  it('may hold no tensors, and tensors of no elements', () => {
    expect(read(write([]))).toEqual({});
    const none = viewOf('none', new ArrayBuffer(0), 'complex128', [0, 3], [3, 1]);
    expect(read(write([none]))['none']).toMatchObject({ shape: [0, 3], storage: { byteLength: 0 } });
  });

  it('says the same tensor for further keys, however many', async () => {
    const keys = Array.from({ length: 300 }, (_, index) => `${index}`);
    const tensors = keys.map((key) => flat(key, Uint8Array.of(Number(key) & 0xff).buffer, 'uint8', 1));
    const path = join(makeTempDir(), 'tensors.pt');
    writeFileSync(
      path,
      Buffer.concat(encodeTorch(tensors, new Map(keys.map((key) => [`${key} again`, key]))).pieces),
    );
    const [loaded = {}] = await loadWithTorch([path]);
    for (const key of keys) expect(loaded[`${key} again`]).toEqual(loaded[key]);
    expect(Object.keys(loaded).length).toBe(600);
    expect(loaded['299 again']?.values).toBe('2b');
  });

  it('has no further key for a tensor that it lacks', () => {
    expect(faultOf(() => encodeTorch([], new Map([['x', 'y']]))).message).toBe('no tensor "y" for "x"');
  });

  it('holds a tensor of any number of dimensions', () => {
    const shape = [1, 2, 1, 2, 1, 1];
    const memory = new ArrayBuffer(4);
    expect(
      read(write([viewOf('deep', memory, 'uint8', shape, [300, 2, 70_000, 1, 2 ** 32, 2 ** 52])]))['deep'],
    ).toMatchObject({
      shape,
      stride: [300, 2, 70_000, 1, 2 ** 32, 2 ** 52],
    });
  });
});

describe('writeTorch refuses', () => {
  const memory = new ArrayBuffer(8);

  it.each([
    [
      'a key twice',
      [flat('x', memory, 'uint8', 1), flat('x', memory, 'uint8', 2)],
      'TENSOR_INVALID',
      'duplicate tensor name',
    ],
    [
      'half a surrogate pair',
      [flat('x\ud800', memory, 'uint8', 1)],
      'TENSOR_INVALID',
      'not well-formed Unicode',
    ],
    [
      'bytes that are not the view',
      [{ ...flat('x', memory, 'uint8', 4), shape: [5] }],
      'TENSOR_INVALID',
      'covers 5 bytes, not 4',
    ],
    [
      'an offset that is none',
      [{ ...flat('x', memory, 'uint8', 4), byteOffset: -1 }],
      'TENSOR_INVALID',
      'can not write tensor "x"',
    ],
    [
      'a negative stride',
      [{ ...flat('x', memory, 'uint8', 4), stride: [-1] }],
      'TENSOR_INVALID',
      'is not a count',
    ],
    [
      'a dtype that torch lacks',
      [{ ...flat('x', memory, 'uint8', 4), dtype: 'int4' }],
      'TENSOR_UNSUPPORTED',
      'torch has no int4',
    ],
  ] as const)('%s, and leaves nothing behind', (_, tensors, code, message) => {
    const dir = makeTempDir();
    const fault = faultOf(() => writeTorch(join(dir, 'x.pt'), tensors));
    expect([fault.code, fault.message]).toEqual([code, expect.stringContaining(message)]);
    expect(readdirSync(dir)).toEqual([]);
  });

  it('a place that it can not take, and leaves nothing behind', () => {
    const dir = makeTempDir();
    mkdirSync(join(dir, 'taken.pt', 'full'), { recursive: true });
    expect(() => writeTorch(join(dir, 'taken.pt'), [flat('x', memory, 'uint8', 1)])).toThrow();
    expect(() => writeTorch(join(dir, 'missing', 'x.pt'), [flat('x', memory, 'uint8', 1)])).toThrow('ENOENT');
    expect(readdirSync(dir)).toEqual(['taken.pt']);
  });
});
