import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { TensorSource } from '../../src/core/model/tensor.js';
import { Storage, Tensor } from '../../src/core/tensor/index.js';
import { TorchFile, type TorchTensor } from '../../src/core/torch/index.js';
import { describeHostTensor } from '../../src/core/values/index.js';
import { writeBeside } from '../../src/preload/dump-files.js';
import { ObjectTable } from '../../src/preload/object-table.js';
import { Snapshot } from '../../src/preload/snapshot.js';
import { type LayoutContext, layOutGroup, type TensorGroup } from '../../src/preload/tensor-group.js';
import { makeTempDir } from '../support/temp-dir.js';

const MIB = 1 << 20;

interface Written {
  group: TensorGroup;
  sources: Map<string, TensorSource>;
  path: string;
}

/** Lays tensors out for torch and writes their file. */
function write(tensors: Record<string, object>, more: Partial<LayoutContext> = {}): Written {
  const objects = new ObjectTable();
  const sources = new Map<string, TensorSource>();
  for (const [key, value] of Object.entries(tensors)) {
    const source =
      'byteOffset' in value && 'host' in value ? (value as TensorSource) : describeHostTensor(value);
    if (source !== undefined) sources.set(key, source);
  }
  const context: LayoutContext = {
    format: 'torch',
    storageId: (storage) => objects.storageId(storage),
    ...more,
  };
  const group = layOutGroup('inputs', sources, context);
  const path = join(makeTempDir(), group.file);
  if (group.pieces.length > 0) writeBeside(path, 'tag', group.pieces);
  return { group, sources, path };
}

/** The tensors of a file, and the bytes of each one's storage. */
function read(path: string): Record<string, TorchTensor & { bytes: number[] }> {
  const file = TorchFile.open(path);
  const tensors = [...file.entries].map(([key, entry]): [string, TorchTensor & { bytes: number[] }] => {
    const tensor = entry as TorchTensor;
    const bytes = file.readRange(tensor.storage, 0, tensor.storage.byteLength);
    return [key, { ...tensor, bytes: [...bytes] }];
  });
  file.close();
  return Object.fromEntries(tensors);
}

describe('a group of the torch format', () => {
  it('holds each tensor as the view that it is, over shared storages', () => {
    const matrix = Tensor.from([1, 2, 3, 4, 5, 6], 'float32', [2, 3]);
    const { group, path } = write({
      arg_0: matrix.t(),
      arg_1: matrix.slice(1, 1, 3),
      arg_2: matrix.slice(0, 1, 2).expand([500, 3]),
      arg_3: new Uint8Array(),
    });
    const { arg_0, arg_1, arg_2, arg_3 } = read(path);
    expect(group.file).toBe('inputs.pt');
    expect(arg_0).toMatchObject({ dtype: 'float32', shape: [3, 2], stride: [1, 3], offset: 0 });
    expect(arg_1).toMatchObject({ shape: [2, 2], stride: [3, 1], offset: 1 });
    expect(arg_2).toMatchObject({ shape: [500, 3], stride: [0, 1], offset: 3, storage: { byteLength: 24 } });
    expect(arg_3).toMatchObject({ dtype: 'uint8', shape: [0] });
    expect(group.layouts['arg_2']).toMatchObject({
      stride: [0, 1],
      data: { file: 'inputs.pt', key: 'arg_2' },
    });
    expect(group.sizeBytes).toBe(24 + 16 + 6000);
  });

  it('holds strings and 4-bit integers as ones that torch knows, and complex128 as it is', () => {
    const words = {
      ...describeHostTensor(new Uint8Array()),
      dtype: 'string',
      shape: [2],
      strings: ['é', ''],
    };
    const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, (_, index) => index);
    const { path } = write({
      words,
      nibbles: Tensor.fromBytes('int4', [3], bytes(2)),
      complex: Tensor.fromBytes('complex128', [1], bytes(16)),
    });
    const found = read(path);
    expect(Object.keys(found).sort()).toEqual(['complex', 'nibbles', 'words#bytes', 'words#offsets']);
    expect(found['words#bytes']).toMatchObject({ dtype: 'uint8', shape: [2], bytes: [0xc3, 0xa9] });
    expect(found['words#offsets']).toMatchObject({ dtype: 'int64', shape: [3] });
    expect(found['nibbles']).toMatchObject({ dtype: 'uint8', shape: [2], bytes: [0, 1] });
    expect(found['complex']).toMatchObject({ dtype: 'complex128', shape: [1] });
  });

  it('holds a tensor under every key, but no content that is elsewhere or none', () => {
    const { group, path } = write(
      { arg_0: Uint8Array.of(1), arg_1: Uint8Array.of(1), arg_2: Uint8Array.of(3), arg_3: Uint8Array.of(4) },
      {
        sameAs: (key) => ({ arg_1: 'arg_0' })[key],
        blob: (key) => (key === 'arg_2' ? 'a sha256' : undefined),
        isContentless: (key) => key === 'arg_3',
      },
    );
    expect(group.layouts['arg_1']?.data).toEqual({ sameAs: 'arg_0' });
    const { arg_0, arg_1, ...others } = read(path);
    expect(arg_1).toEqual(arg_0);
    expect(others).toEqual({});
  });

  it('writes nothing where the same tensors stand in another group', () => {
    const { group } = write({ result: Uint8Array.of(1) }, { sameAs: () => 'arg_0' });
    expect(group).toMatchObject({ pieces: [], fileBytes: 0 });
  });
});

describe.each([
  ['kept', 0],
  ['read from the file', 2 * MIB],
])('what is seen of a change where the saved bytes are %s', (_, ballast) => {
  /** The keys that have changed after `change`. */
  function changedAfter(tensors: Record<string, object>, change: () => void): string[] {
    const { group, sources, path } = write({ ...tensors, ballast: new Uint8Array(ballast) });
    expect(group.copy === undefined).toBe(ballast > 0);
    const snapshot = new Snapshot(group, dirname(path), sources);
    expect(snapshot.changedKeys()).toEqual([]);
    change();
    return snapshot.changedKeys();
  }

  it('is what belongs to a view, not what lies between its elements', () => {
    const memory = new Float32Array(12);
    const matrix = new Tensor({
      dtype: 'float32',
      shape: [3, 4],
      storage: new Storage(new Uint8Array(memory.buffer)),
    });
    const tensors = { left: matrix.slice(1, 0, 2), right: matrix.slice(1, 2, 4), turned: matrix.t() };
    expect(changedAfter(tensors, () => memory.fill(1, 2, 4))).toEqual(['right', 'turned']);
  });

  it('is a change of an expanded tensor, also of one with gaps', () => {
    const memory = new Float32Array(4);
    const row = new Tensor({
      dtype: 'float32',
      shape: [4],
      storage: new Storage(new Uint8Array(memory.buffer)),
    });
    const tensors = { dense: row.expand([100, 4]), sparse: row.slice(0, 0, 4, 2).expand([100, 2]) };
    expect(changedAfter(tensors, () => memory.fill(1, 1, 2))).toEqual(['dense']);
    expect(changedAfter(tensors, () => memory.fill(2, 2, 3))).toEqual(['dense', 'sparse']);
  });
});
