import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { TensorSource } from '../../src/core/model/tensor.js';
import { SafetensorsFile } from '../../src/core/safetensors/index.js';
import { Tensor } from '../../src/core/tensor/index.js';
import { describeHostTensor } from '../../src/core/values/index.js';
import { writeBeside } from '../../src/preload/dump-files.js';
import { ObjectTable } from '../../src/preload/object-table.js';
import { type LayoutContext, layOutGroup, type TensorGroup } from '../../src/preload/tensor-group.js';
import { makeTempDir } from '../support/temp-dir.js';

function sourceOf(value: object): TensorSource {
  const source = describeHostTensor(value);
  if (source === undefined) throw new Error('no tensor');
  return source;
}

/** Lays tensors out, writes their file and reads it again. */
function written(tensors: Record<string, object | TensorSource>, more: Partial<LayoutContext> = {}) {
  const objects = new ObjectTable();
  const sources = new Map(
    Object.entries(tensors).map(([key, value]) => [
      key,
      'byteOffset' in value && 'host' in value ? value : sourceOf(value),
    ]),
  );
  const context: LayoutContext = {
    format: 'safetensors',
    storageId: (storage) => objects.storageId(storage),
    ...more,
  };
  const group = layOutGroup('inputs', sources, context);
  const path = join(makeTempDir(), group.file);
  writeBeside(path, 'tag', group.pieces);
  return { group, file: SafetensorsFile.open(path) };
}

/** Every place that a group names holds what the file has there. */
function expectPositions(group: TensorGroup, file: SafetensorsFile): void {
  for (const [key, { begin, length }] of group.positions) {
    const entry = file.entries.get(key);
    if (entry !== undefined) expect([begin, begin + length]).toEqual([entry.begin, entry.end]);
  }
}

describe('layOutGroup', () => {
  it('stores the logical values of each tensor under its key', () => {
    const matrix = Tensor.from([1, 2, 3, 4, 5, 6], 'float32', [2, 3]);
    const { group, file } = written({
      arg_0: Float64Array.of(1, 2),
      arg_1: matrix.t(),
      arg_2: new Uint8Array(),
      arg_3: Tensor.from([7], 'int16', []),
    });
    expect(
      Object.fromEntries([...file.entries].map(([key, entry]) => [key, [entry.dtype, entry.shape]])),
    ).toEqual({
      arg_0: ['F64', [2]],
      arg_1: ['F32', [3, 2]],
      arg_2: ['U8', [0]],
      arg_3: ['I16', []],
    });
    expect(new Float32Array(Uint8Array.from(file.read('arg_1')).buffer)).toEqual(
      Float32Array.of(1, 4, 2, 5, 3, 6),
    );
    expect(group.layouts['arg_1']).toMatchObject({ stride: [1, 3], shape: [3, 2], offset: 0 });
    expect(group.sizeBytes).toBe(16 + 24 + 0 + 2);
    expectPositions(group, file);
  });

  it('stores dtypes that official readers do not know as ones that they do', () => {
    const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, (_, index) => index);
    const strings: TensorSource = {
      ...sourceOf(new Uint8Array()),
      dtype: 'string',
      shape: [2],
      strings: ['é', ''],
    };
    const { file } = written({
      complex: Tensor.fromBytes('complex128', [1], bytes(16)),
      nibbles: Tensor.fromBytes('int4', [3], bytes(2)),
      fp4: Tensor.fromBytes('float4_e2m1fn_x2', [2, 4], bytes(8)),
      fnuz: Tensor.fromBytes('float8_e4m3fnuz', [3], bytes(3)),
      words: strings,
    });
    expect(
      Object.fromEntries([...file.entries].map(([key, entry]) => [key, [entry.dtype, entry.shape]])),
    ).toEqual({
      complex: ['F64', [1, 2]],
      nibbles: ['U8', [2]],
      fp4: ['F4', [2, 8]],
      fnuz: [expect.stringMatching(/^(U8|F8_E4M3FNUZ)$/), [3]],
      'words#bytes': ['U8', [2]],
      'words#offsets': ['I64', [3]],
    });
    expect(Buffer.from(file.read('words#bytes')).toString()).toBe('é');
  });

  it('stores the range of expanded views once', () => {
    const row = Tensor.from([1, 2, 3, 4], 'float32', [4]);
    const { group, file } = written({
      wide: row.slice(0, 1, 3).expand([100, 2]),
      narrow: row.slice(0, 2, 4).expand([50, 2]),
      other: Float32Array.of(9),
    });
    expect([...file.entries.keys()].sort()).toEqual(['other', 'storage_1']);
    expect(new Float32Array(Uint8Array.from(file.read('storage_1')).buffer)).toEqual(
      Float32Array.of(2, 3, 4),
    );
    expect(group.layouts['wide']).toMatchObject({ offset: 1, stride: [0, 1], data: { key: 'storage_1' } });
    expect(group.positions.get('narrow')).toMatchObject({ length: 8, isRaw: true });
  });

  it('stores what is another key, content elsewhere or no content not at all', () => {
    const { group, file } = written(
      { arg_0: Uint8Array.of(1), arg_1: Uint8Array.of(2), arg_2: Uint8Array.of(3), arg_3: Uint8Array.of(4) },
      {
        sameAs: (key) => (key === 'arg_1' ? 'arg_0' : undefined),
        blob: (key) => (key === 'arg_2' ? 'a sha256' : undefined),
        isContentless: (key) => key === 'arg_3',
      },
    );
    expect([...file.entries.keys()]).toEqual(['arg_0']);
    const data = ['arg_0', 'arg_1', 'arg_2', 'arg_3'].map((key) => group.layouts[key]?.data);
    expect(data).toEqual([
      { file: 'inputs.safetensors', key: 'arg_0' },
      { sameAs: 'arg_0' },
      { sha256: 'a sha256' },
      undefined,
    ]);
  });

  it('copies small groups, which changes are seen against, and leaves large ones where they are', () => {
    const [small, large] = [new Uint8Array(10), new Uint8Array(2 << 20)];
    const [copied, shared] = [written({ small }).group, written({ large }).group];
    small[0] = 1;
    large[0] = 1;
    const begin = copied.positions.get('small')?.begin ?? 0;
    expect([copied.copy?.[begin], shared.copy]).toEqual([0, undefined]);
    expect(shared.pieces.at(-1)?.[0]).toBe(1);
  });
});
