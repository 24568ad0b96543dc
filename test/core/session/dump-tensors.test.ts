import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { encodeFromFloat64 } from '../../../src/core/dtype/index.js';
import type { DtypeName } from '../../../src/core/model/dtype.js';
import { type Dump, openSession } from '../../../src/core/session/index.js';
import {
  tensorOf,
  type WriteSessionOptions,
  type WrittenCall,
  writeSession,
} from '../../support/session-writer.js';
import { makeTempDir } from '../../support/temp-dir.js';

/** Writes one call and opens its dump; `damage` may change its files before. */
function dumpOf(
  call: Omit<WrittenCall, 'functionName'>,
  damage: (path: string, root: string) => void = () => {},
  options: WriteSessionOptions = {},
): Dump {
  const dir = makeTempDir();
  const [written] = writeSession(dir, [{ functionName: 'f', ...call }], options);
  damage(written?.path ?? '', dir);
  const session = openSession(dir);
  const [entry] = session.calls;
  if (entry === undefined) throw new Error('no call');
  const dump = session.openDump(entry);
  onTestFinished(() => dump.close());
  return dump;
}

function float32(...values: number[]): Uint8Array {
  return encodeFromFloat64('float32', Float64Array.from(values));
}

function join8(chunks: Iterable<Uint8Array>): Buffer {
  return Buffer.concat([...chunks]);
}

describe('tensors of a dump', () => {
  it.each<[DtypeName, number[], number[]]>([
    ['bool', [0, 1, 1], [3]],
    ['uint8', [0, 255], [2, 1]],
    ['int64', [-5, 7], [2]],
    ['float16', [0.5, -2, 1], [3]],
    ['bfloat16', [1, 2], [2]],
    ['float64', [Math.PI], []],
    ['float32', [], [0, 4]],
    ['complex64', [1, 2, 3, 4], [2]],
    ['complex128', [1, 2, 3, 4, 5, 6, 7, 8], [2, 2]],
    ['int4', [1, -2, 3], [3]],
    ['uint4', [1, 2, 3, 15], [2, 2]],
    ['float8_e4m3fn', [1, 448], [2]],
    ['float4_e2m1fn_x2', [1, 6, -0.5, 2], [1, 2]],
  ])('of %s are read as they were written', (dtype, values, shape) => {
    const written = tensorOf(dtype, values, shape);
    const tensor = dumpOf({ inputs: { arg_0: written } }).tensor('inputs', 'arg_0');
    expect([tensor.dtype, tensor.shape, tensor.byteLength]).toEqual([dtype, shape, written.bytes?.length]);
    expect(Buffer.from(tensor.logicalBytes())).toEqual(Buffer.from(written.bytes ?? []));
    expect(join8(tensor.chunks(16))).toEqual(Buffer.from(written.bytes ?? []));
    expect(tensor.strings).toBeUndefined();
    expect(tensor.savedRange()).toBeUndefined();
  });

  it('of strings are read whole, whatever stands in them', () => {
    const strings = ['', 'grüße', '😀', 'a\nb', '\0'];
    const tensor = dumpOf({ inputs: { arg_0: { dtype: 'string', shape: [5], strings } } }).tensor(
      'inputs',
      'arg_0',
    );
    expect(tensor.strings?.()).toEqual(strings);
    expect(tensor.byteLength).toBe(Buffer.byteLength(strings.join('')));
    expect(Buffer.from(tensor.logicalBytes()).toString()).toBe(strings.join(''));
  });

  it('carry their layout and identity', () => {
    const layout = {
      stride: [1, 3],
      offset: 4,
      storage: 12,
      storageBytes: 999,
      device: 'cuda:1',
      host: 'Float32Array',
    };
    const written = { ...tensorOf('float32', [1, 2, 3, 4, 5, 6], [3, 2]), ...layout };
    expect(dumpOf({ inputs: { arg_0: written } }).tensor('inputs', 'arg_0')).toMatchObject(layout);
  });

  it('lists keys by group, each once', () => {
    const one = tensorOf('float32', [1]);
    const dump = dumpOf({
      inputs: { arg_0: one, arg_1: one },
      outputs: { result: one },
      mutated: { arg_1: one },
      fir: { mutated_pending_keys: ['arg_1', 'arg_0'] },
      record: {
        tensor_info: { input_tensor_keys: ['arg_0', 'arg_1', 'arg_0'], output_tensor_keys: ['result'] },
      },
    });
    expect(dump.keys('inputs')).toEqual(['arg_0', 'arg_1']);
    expect(dump.keys('outputs')).toEqual(['result']);
    expect(dump.keys('mutated')).toEqual(['arg_1', 'arg_0']);
    expect(dumpOf({ inputs: { arg_0: one } }).keys('mutated')).toEqual([]);
  });
});

describe('tensors that are the same as others', () => {
  const before = tensorOf('float32', [1, 2]);
  const after = tensorOf('float32', [3, 4]);
  const same = (key: string) => ({ dtype: 'float32' as const, shape: [2], data: { sameAs: key } });

  it('show an argument’s end state as a result, and its first state as an argument', () => {
    const dump = dumpOf({
      inputs: { arg_0: before, kwarg_out: same('arg_0') },
      outputs: { result: same('arg_0'), result_1: same('result') },
      mutated: { arg_0: after },
    });
    const read = (group: 'inputs' | 'outputs' | 'mutated', key: string) =>
      Buffer.from(dump.tensor(group, key).logicalBytes());
    expect(read('inputs', 'arg_0')).toEqual(Buffer.from(float32(1, 2)));
    expect(read('inputs', 'kwarg_out')).toEqual(Buffer.from(float32(1, 2)));
    expect(read('outputs', 'result')).toEqual(Buffer.from(float32(3, 4)));
    expect(read('outputs', 'result_1')).toEqual(Buffer.from(float32(3, 4)));
    expect(read('mutated', 'arg_0')).toEqual(Buffer.from(float32(3, 4)));
    expect(dump.tensor('outputs', 'result').sameAs).toBe('arg_0');
  });

  it('find an end state that was saved under the other key', () => {
    const dump = dumpOf({
      inputs: { arg_0: before, arg_1: same('arg_0') },
      outputs: { result: same('arg_1') },
      mutated: { arg_0: after, arg_1: same('arg_0') },
    });
    expect(Buffer.from(dump.tensor('mutated', 'arg_1').logicalBytes())).toEqual(Buffer.from(float32(3, 4)));
    expect(Buffer.from(dump.tensor('outputs', 'result').logicalBytes())).toEqual(Buffer.from(float32(3, 4)));
  });

  it('show the argument as it was where the call left it alone', () => {
    const dump = dumpOf({
      inputs: { arg_0: before },
      outputs: { result: same('arg_0') },
      fir: { mutated_tensor_keys: [] },
    });
    expect(Buffer.from(dump.tensor('outputs', 'result').logicalBytes())).toEqual(Buffer.from(float32(1, 2)));
  });

  it.each([
    ['itself', { arg_0: same('arg_0') }],
    ['each other in a circle', { arg_0: same('arg_1'), arg_1: same('arg_0') }],
    ['nothing known', { arg_0: same('arg_9') }],
    ['one of another shape', { arg_0: same('arg_1'), arg_1: tensorOf('float32', [1, 2, 3]) }],
    ['one of another dtype', { arg_0: same('arg_1'), arg_1: tensorOf('int32', [1, 2]) }],
  ])('are invalid where that is %s', (_, inputs) => {
    const tensor = dumpOf({ inputs }).tensor('inputs', 'arg_0');
    expect(() => tensor.verify()).toThrow(expect.objectContaining({ code: 'TENSOR_INVALID' }));
  });

  it('say so where the contents were not saved', () => {
    const tensor = dumpOf({ inputs: { arg_0: { dtype: 'float32', shape: [2] } } }).tensor('inputs', 'arg_0');
    expect(tensor.byteLength).toBe(8);
    expect(() => tensor.logicalBytes()).toThrow(expect.objectContaining({ code: 'TENSOR_DATA_MISSING' }));
  });
});

describe('content stored once', () => {
  const bytes = Buffer.from(float32(1, 2, 3));
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const call = { inputs: { arg_0: { dtype: 'float32' as const, shape: [3], data: { sha256 } } } };
  const store = (content: Uint8Array) => (_: string, root: string) => {
    mkdirSync(join(root, 'blobs'));
    writeFileSync(join(root, 'blobs', sha256), content);
  };

  it('is read from beside the dumps', () => {
    const tensor = dumpOf(call, store(bytes)).tensor('inputs', 'arg_0');
    expect(Buffer.from(tensor.logicalBytes())).toEqual(bytes);
    expect([...tensor.chunks(5)].map((chunk) => chunk.length)).toEqual([5, 5, 2]);
  });

  it.each([
    ['missing', undefined, 'TENSOR_DATA_MISSING'],
    ['of another size', bytes.subarray(1), 'TENSOR_INVALID'],
    ['changed', Buffer.from(float32(1, 2, 4)), 'TENSOR_INVALID'],
  ])('is refused where it is %s', (_, content, code) => {
    const tensor = dumpOf(call, content === undefined ? undefined : store(content)).tensor('inputs', 'arg_0');
    expect(() => tensor.logicalBytes()).toThrow(expect.objectContaining({ code }));
    expect(() => join8(tensor.chunks())).toThrow(expect.objectContaining({ code }));
  });
});

describe('expanded tensors', () => {
  const view = (shape: number[], stride: number[], offset: number) => ({
    dtype: 'float32' as const,
    shape,
    stride,
    offset,
    storage: 3,
    storageBytes: 4000,
    data: { file: 'inputs.safetensors', key: 'storage_3' },
  });
  const range = (...values: number[]) => ({ inputs: [storage(...values)] });
  const storage = (...values: number[]) => {
    const data = float32(...values);
    return { key: 'storage_3', dtype: 'U8', shape: [data.length], data };
  };

  it('are taken out of the range that their storage’s views cover', () => {
    const dump = dumpOf({
      inputs: { arg_0: view([4, 3], [0, 1], 7), arg_1: view([2], [2], 6) },
      extra: range(60, 70, 80, 90),
    });
    const expanded = dump.tensor('inputs', 'arg_0');
    const row = [70, 80, 90];
    const values = Buffer.from(float32(...row, ...row, ...row, ...row));
    expect(Buffer.from(expanded.logicalBytes())).toEqual(values);
    for (const chunkBytes of [1, 4, 8, 12, 30, 1000])
      expect(join8(expanded.chunks(chunkBytes))).toEqual(values);
    expect(Buffer.from(dump.tensor('inputs', 'arg_1').logicalBytes())).toEqual(Buffer.from(float32(60, 80)));
    const saved = expanded.savedRange();
    expect([saved?.byteOffset, Buffer.from(saved?.bytes ?? [])]).toEqual([
      24,
      Buffer.from(float32(60, 70, 80, 90)),
    ]);
  });

  it('begin where a typed array can view them', () => {
    const dump = dumpOf({
      inputs: { arg_0: view([1], [1], 7), arg_1: view([3, 2], [0, 1], 6) },
      extra: range(1, 2),
    });
    expect(dump.tensor('inputs', 'arg_0').logicalBytes().byteOffset).toBe(0);
  });

  it('show their end state out of the file of changed arguments', () => {
    const argument = view([3, 2], [0, 1], 5);
    const dump = dumpOf({
      inputs: { arg_0: argument },
      mutated: { arg_0: argument },
      extra: { inputs: [storage(1, 2)], mutated: [storage(8, 9)] },
    });
    expect(Buffer.from(dump.tensor('inputs', 'arg_0').logicalBytes())).toEqual(
      Buffer.from(float32(1, 2, 1, 2, 1, 2)),
    );
    expect(Buffer.from(dump.tensor('mutated', 'arg_0').logicalBytes())).toEqual(
      Buffer.from(float32(8, 9, 8, 9, 8, 9)),
    );
  });

  it('are refused where the range has another size than their views say', () => {
    const tensor = dumpOf({ inputs: { arg_0: view([4, 3], [0, 1], 0) }, extra: range(1, 2) }).tensor(
      'inputs',
      'arg_0',
    );
    expect(() => tensor.verify()).toThrow(expect.objectContaining({ code: 'TENSOR_INVALID' }));
  });

  it('are read in pieces when they are larger than memory', () => {
    const tensor = dumpOf({ inputs: { arg_0: view([2 ** 31, 2], [0, 1], 0) }, extra: range(1, 2) }).tensor(
      'inputs',
      'arg_0',
    );
    expect(tensor.byteLength).toBe(2 ** 34);
    expect(() => tensor.logicalBytes()).toThrow(expect.objectContaining({ code: 'TOO_LARGE' }));
    const [first] = tensor.chunks(16);
    expect(Buffer.from(first ?? [])).toEqual(Buffer.from(float32(1, 2, 1, 2)));
  });
});

describe('records that don’t agree with their files', () => {
  const written = tensorOf('float32', [1, 2, 3, 4], [2, 2]);
  const layoutWith = (change: object) => ({
    inputs: { arg_0: written },
    fir: {
      tensors: {
        arg_0: {
          storage: 1,
          storageBytes: 16,
          offset: 0,
          stride: [2, 1],
          shape: [2, 2],
          dtype: 'float32' as const,
          device: 'cpu',
          data: { file: 'inputs.safetensors', key: 'arg_0' },
          ...change,
        },
      },
    },
  });

  it.each([
    ['another shape', { shape: [4], stride: [1] }],
    ['another dtype of the same size', { dtype: 'int32' as const }],
    ['another dtype', { dtype: 'float64' as const }],
    ['a size past any memory', { shape: [2 ** 40, 2 ** 12] }],
    ['more elements than 2^53', { shape: [2 ** 40, 2 ** 40] }],
  ])('are invalid with %s', (_, change) => {
    const tensor = dumpOf(layoutWith(change)).tensor('inputs', 'arg_0');
    expect(() => tensor.verify()).toThrow(expect.objectContaining({ code: 'TENSOR_INVALID' }));
  });

  it('name the tensor and the file', () => {
    const dump = dumpOf(layoutWith({ shape: [4], stride: [1] }));
    expect(() => dump.tensor('inputs', 'arg_0').verify()).toThrow(
      expect.objectContaining({
        message: 'tensor "arg_0" is F32 [2, 2], but the record says F32 [4]',
        where: join(dump.path, 'inputs.safetensors'),
      }),
    );
  });

  it.each([
    ['a dtype that nobody knows', { dtype: 'float7' }, 'its dtype is not known'],
    ['a dtype that every object has', { dtype: 'constructor' }, 'its dtype is not known'],
    ['a negative dimension', { shape: [-2, 2] }, 'its shape is no list of counts'],
    ['a fraction', { shape: [0.5, 2] }, 'its shape is no list of counts'],
    ['strides for other dimensions', { stride: [1] }, 'its stride has another length than its shape'],
    ['a negative stride', { stride: [-2, 1] }, 'its stride is no list of counts'],
    ['a negative offset', { offset: -1 }, 'its offset is no count'],
    ['no storage', { storage: null }, 'its storage is no id'],
    ['no storage size', { storageBytes: '16' }, 'its storageBytes is no count'],
    [
      'too many dimensions',
      { shape: Array(65).fill(1), stride: Array(65).fill(1) },
      'it has more than 64 dimensions',
    ],
    ['data at no place', { data: { file: 3 } }, 'its data names no place'],
  ])('have no layout with %s', (_, change, why) => {
    const dump = dumpOf(layoutWith(change));
    expect(() => dump.tensor('inputs', 'arg_0')).toThrow(
      expect.objectContaining({ code: 'TENSOR_INVALID', message: `no layout of tensor "arg_0": ${why}` }),
    );
  });

  it('have no layout for a key that the record does not name', () => {
    const dump = dumpOf({ inputs: { arg_0: written } });
    for (const key of ['arg_9', '__proto__', 'constructor', 'toString']) {
      expect(() => dump.tensor('inputs', key)).toThrow(expect.objectContaining({ code: 'TENSOR_INVALID' }));
    }
  });

  it('say that a tensor is not in its file', () => {
    const dump = dumpOf(layoutWith({ data: { file: 'inputs.safetensors', key: 'arg_1' } }));
    expect(() => dump.tensor('inputs', 'arg_0').verify()).toThrow(
      expect.objectContaining({ code: 'TENSOR_DATA_MISSING' }),
    );
  });
});

describe('missing and torn files', () => {
  const call = {
    inputs: { arg_0: tensorOf('float32', [1, 2]) },
    outputs: { result: tensorOf('float32', [3, 4]) },
  };

  it('are the error of their tensors alone', () => {
    const dump = dumpOf(call, (path) => rmSync(join(path, 'outputs.safetensors')));
    expect(dump.tensor('inputs', 'arg_0').logicalBytes()).toHaveLength(8);
    expect(() => dump.tensor('outputs', 'result').logicalBytes()).toThrow(
      expect.objectContaining({ code: 'TENSOR_DATA_MISSING', message: 'outputs.safetensors is missing' }),
    );
  });

  it('are told as what is wrong with the file', () => {
    const dump = dumpOf(call, (path) => {
      const file = join(path, 'inputs.safetensors');
      truncateSync(file, readFileSync(file).length - 3);
    });
    const tensor = dump.tensor('inputs', 'arg_0');
    expect(() => tensor.verify()).toThrow(expect.objectContaining({ code: 'SAFETENSORS_INVALID' }));
    expect(dump.tensor('outputs', 'result').logicalBytes()).toHaveLength(8);
  });

  it('are the error of a string tensor, whose size is then 0', () => {
    const strings = { dtype: 'string' as const, shape: [1], strings: ['a'] };
    const dump = dumpOf({ inputs: { arg_0: strings } }, (path) => rmSync(join(path, 'inputs.safetensors')));
    expect(dump.tensor('inputs', 'arg_0').byteLength).toBe(0);
    expect(() => dump.tensor('inputs', 'arg_0').strings?.()).toThrow(
      expect.objectContaining({ code: 'TENSOR_DATA_MISSING' }),
    );
  });
});

describe('strings whose offsets lie', () => {
  it.each([
    ['begin late', [1n, 2n]],
    ['go back', [0n, 2n, 1n]],
    ['end behind their bytes', [0n, 4n]],
    ['end before their bytes do', [0n, 2n]],
    ['are negative', [0n, -1n]],
  ])('are refused where they %s', (_, offsets) => {
    const data = { file: 'inputs.safetensors', key: 'arg_0' };
    const words = BigInt64Array.from(offsets);
    const extra = [
      { key: 'arg_0#bytes', dtype: 'U8', shape: [3], data: Buffer.from('abc') },
      { key: 'arg_0#offsets', dtype: 'I64', shape: [words.length], data: new Uint8Array(words.buffer) },
    ];
    const inputs = { arg_0: { dtype: 'string' as const, shape: [words.length - 1], data } };
    const tensor = dumpOf({ inputs, extra: { inputs: extra } }).tensor('inputs', 'arg_0');
    expect(() => tensor.strings?.()).toThrow(expect.objectContaining({ code: 'TENSOR_INVALID' }));
  });
});

describe('FlashInfer’s safetensors', () => {
  const foreign = { foreign: true };

  it('give back the stride that the record has, though values are stored contiguous', () => {
    const values = tensorOf('float32', [1, 2, 3, 4, 5, 6], [3, 2]);
    const tensor = dumpOf({ inputs: { arg_0: { ...values, stride: [1, 3] } } }, undefined, foreign).tensor(
      'inputs',
      'arg_0',
    );
    expect([tensor.shape, tensor.stride, tensor.offset]).toEqual([[3, 2], [1, 3], 0]);
    expect([tensor.storage, tensor.storageBytes]).toEqual([undefined, 24]);
    expect(Buffer.from(tensor.logicalBytes())).toEqual(Buffer.from(values.bytes ?? []));
  });

  it('give the layout of a nested tensor from its node', () => {
    const node = {
      type: 'torch.Tensor',
      shape: [2],
      dtype: 'torch.float32',
      stride: [5],
      device: 'cuda:0',
      tensor_key: 'arg_0__0',
    };
    const dump = dumpOf(
      {
        inputs: { arg_0__0: tensorOf('float32', [1, 2]) },
        inputMetadata: {
          arg_0: { type: 'list', length: 1, items: [{ type: 'list', length: 1, items: [node] }] },
        },
        record: { tensor_details: {} },
      },
      undefined,
      foreign,
    );
    expect(dump.tensor('inputs', 'arg_0__0')).toMatchObject({ shape: [2], stride: [5], device: 'cuda:0' });
  });

  it('give a contiguous layout where the record has none', () => {
    const dump = dumpOf(
      {
        inputs: {
          arg_0__0: tensorOf('bfloat16', [1, 2, 3, 4], [2, 2]),
          arg_0__1: tensorOf('float4_e2m1fn_x2', [1, 2], [1]),
        },
        record: { tensor_details: {} },
      },
      undefined,
      foreign,
    );
    expect(dump.tensor('inputs', 'arg_0__0')).toMatchObject({
      dtype: 'bfloat16',
      shape: [2, 2],
      stride: [2, 1],
    });
    expect(dump.tensor('inputs', 'arg_0__1')).toMatchObject({ dtype: 'float4_e2m1fn_x2', shape: [1] });
    expect(() => dump.tensor('inputs', 'arg_7')).toThrow(expect.objectContaining({ code: 'TENSOR_INVALID' }));
  });

  it('are invalid where the record says another shape, and unknown with another dtype', () => {
    const detail = { shape: [3], dtype: 'torch.float32', stride: [1], device: 'cpu' };
    const inputs = { arg_0__0: tensorOf('float32', [1, 2]), arg_0__1: tensorOf('float32', [1, 2]) };
    const details = { arg_0__0: detail, arg_0__1: { ...detail, dtype: 'torch.quint8' } };
    const dump = dumpOf({ inputs, record: { tensor_details: details } }, undefined, foreign);
    expect(() => dump.tensor('inputs', 'arg_0__0').verify()).toThrow(
      expect.objectContaining({ code: 'TENSOR_INVALID' }),
    );
    expect(() => dump.tensor('inputs', 'arg_0__1')).toThrow(
      expect.objectContaining({ code: 'DTYPE_UNKNOWN' }),
    );
  });
});
