import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { inspectSession } from '../../../src/core/inspect/index.js';
import type { DtypeName } from '../../../src/core/model/dtype.js';
import type { JsonObject } from '../../../src/core/model/json.js';
import type { TensorLayout } from '../../../src/core/model/tensor.js';
import { writeSafetensors } from '../../../src/core/safetensors/index.js';
import { type Dump, openSession } from '../../../src/core/session/index.js';
import { contiguousStride } from '../../../src/core/tensor/index.js';
import { type TorchWrite, writeTorch } from '../../../src/core/torch/index.js';
import { tensorOf, type WrittenCall, writeSession } from '../../support/session-writer.js';
import { makeTempDir } from '../../support/temp-dir.js';

/** Memory that holds 0, 1, 2 … as a dtype, and views of it as a file is given them. */
class Memory {
  readonly dtype: DtypeName;
  readonly bytes: Uint8Array;
  readonly #elementBytes: number;

  constructor(dtype: DtypeName, elements: number) {
    this.dtype = dtype;
    const values = Array.from({ length: elements }, (_, index) => index % 200);
    this.bytes = tensorOf(dtype, values).bytes ?? new Uint8Array();
    this.#elementBytes = this.bytes.length / elements;
  }

  view(key: string, shape: number[], stride = contiguousStride(shape), offset = 0): TorchWrite {
    const high = shape.reduce((sum, size, dim) => sum + (size - 1) * (stride[dim] ?? 0), offset);
    const byteOffset = offset * this.#elementBytes;
    const bytes = this.bytes.subarray(byteOffset, (high + 1) * this.#elementBytes);
    return { key, dtype: this.dtype, shape, stride, storage: this.bytes, byteOffset, bytes };
  }
}

interface TorchDump {
  dump: Dump;
  file: string;
  root: string;
}

/** One call whose inputs are a .pt file. */
function dumpOf(writes: TorchWrite[], call: Partial<WrittenCall> = {}, foreign = true): TorchDump {
  const root = makeTempDir();
  const keys = call.record?.tensor_info?.input_tensor_keys ?? writes.map(({ key }) => key);
  const record: WrittenCall['record'] = {
    tensor_format: 'torch',
    tensor_info: { input_tensor_keys: keys, output_tensor_keys: [] },
  };
  Object.assign(record, call.record);
  const [written] = writeSession(root, [{ functionName: 'f', ...call, record }], { foreign });
  const file = join(written?.path ?? '', 'inputs.pt');
  writeTorch(file, writes);
  return { dump: openOnly(root), file, root };
}

function openOnly(root: string): Dump {
  const session = openSession(root);
  const [entry] = session.calls;
  if (entry === undefined) throw new Error('no call');
  const dump = session.openDump(entry);
  onTestFinished(() => dump.close());
  return dump;
}

function valuesOf(dump: Dump, key: string): number[] {
  return [...new Float32Array(Uint8Array.from(dump.tensor('inputs', key).logicalBytes()).buffer)];
}

describe('a .pt file of another recorder', () => {
  it('gives views their strides, offsets and shared storage', () => {
    const memory = new Memory('float32', 8);
    const { dump } = dumpOf([
      memory.view('arg_0', [2, 3], [1, 2], 1),
      memory.view('arg_1', [4], [2], 0),
      new Memory('float32', 2).view('arg_2', [2]),
    ]);
    const [first, second, third] = ['arg_0', 'arg_1', 'arg_2'].map((key) => dump.tensor('inputs', key));
    expect(valuesOf(dump, 'arg_0')).toEqual([1, 3, 5, 2, 4, 6]);
    expect(valuesOf(dump, 'arg_1')).toEqual([0, 2, 4, 6]);
    expect([first?.stride, first?.offset, second?.offset]).toEqual([[1, 2], 1, 0]);
    expect(first?.storage).toBe(second?.storage);
    expect(third?.storage).not.toBe(first?.storage);
    expect(first?.fileRange()).toEqual(second?.fileRange());
  });

  it('tells where its memory stands, byte for byte', () => {
    const { dump, file } = dumpOf([new Memory('float32', 6).view('arg_0', [3, 2], [1, 3])]);
    const range = dump.tensor('inputs', 'arg_0').fileRange();
    if (range === undefined) throw new Error('no range');
    const bytes = readFileSync(file).subarray(range.begin, range.end);
    expect(bytes).toEqual(Buffer.from(new Memory('float32', 6).bytes));
    expect(range).toMatchObject({ path: file, storageBegin: 0 });
  });

  it('shows how much it keeps for a small view', () => {
    const memory = new Memory('float32', 20_000);
    const { root } = dumpOf([memory.view('arg_0', [4], [1], 10), memory.view('arg_1', [20_000])]);
    const [call] = inspectSession(openSession(root)).calls;
    expect(call?.inputs.map(({ bytes, storedBytes }) => [bytes, storedBytes])).toEqual([
      [16, 80_000],
      [80_000, undefined],
    ]);
  });

  it('has the saved part of an expanded tensor, whose values are more', () => {
    const memory = new Memory('float32', 8);
    const { dump } = dumpOf([memory.view('arg_0', [3, 2], [0, 1], 4), memory.view('arg_1', [8])]);
    expect(valuesOf(dump, 'arg_0')).toEqual([4, 5, 4, 5, 4, 5]);
    const expanded = dump.tensor('inputs', 'arg_0');
    expect(Buffer.concat([...expanded.chunks(4)])).toEqual(Buffer.from(expanded.logicalBytes()));
    const range = expanded.savedRange();
    expect([range?.byteOffset, Buffer.from(range?.bytes ?? [])]).toEqual([
      16,
      Buffer.from(memory.bytes.subarray(16, 24)),
    ]);
    expect(dump.tensor('inputs', 'arg_1').savedRange()).toBeUndefined();
  });

  it('takes the device from the record, and the layout that the program had where a copy was saved', () => {
    const node = { type: 'torch.Tensor', shape: [2, 3], dtype: 'torch.float32', device: 'cuda:1' };
    const memory = new Memory('float32', 6);
    const { dump } = dumpOf([memory.view('arg_0__0', [2, 3])], {
      inputMetadata: {
        arg_0: { type: 'list', length: 1, items: [{ ...node, stride: [1, 8], tensor_key: 'arg_0__0' }] },
      },
    });
    const tensor = dump.tensor('inputs', 'arg_0__0');
    expect([tensor.device, tensor.stride, tensor.offset]).toEqual(['cuda:1', [1, 8], 0]);
    expect(valuesOf(dump, 'arg_0__0')).toEqual([0, 1, 2, 3, 4, 5]);
    expect([tensor.fileRange(), tensor.savedRange()]).toEqual([undefined, undefined]);
  });

  it.each([
    [false, 'unknown', [3, 1]],
    [true, 'cpu', [1, 2]],
  ])('of a call with graph capture %s is on device %s', (captured, device, stride) => {
    const detail = { shape: [2, 3], dtype: 'torch.float32', stride: [1, 2], device: 'cpu' };
    const { dump } = dumpOf([new Memory('float32', 6).view('arg_0', [2, 3])], {
      record: { graph_capture: captured, tensor_details: { arg_0: detail } },
    });
    const tensor = dump.tensor('inputs', 'arg_0');
    expect([tensor.device, tensor.stride]).toEqual([device, stride]);
  });

  it.each<[string, JsonObject]>([
    ['dtype', { shape: [6], dtype: 'torch.int32', stride: [1], device: 'cpu' }],
    ['shape', { shape: [3, 2], dtype: 'torch.float32', stride: [2, 1], device: 'cpu' }],
    ['dtype that nobody knows', { shape: [6], dtype: 'torch.float7', stride: [1], device: 'cpu' }],
  ])('is refused where the record has another %s', (_, detail) => {
    const { root } = dumpOf([new Memory('float32', 6).view('arg_0', [6])], {
      record: { tensor_details: { arg_0: detail as never } },
    });
    const [call] = inspectSession(openSession(root)).calls;
    expect(call?.inputs[0]?.error).toMatch(/^(tensor "arg_0" is torch\.float32 \[6\], but|unknown dtype)/);
    expect(call?.replayable).toBe(false);
  });

  it('that lacks a tensor of the record says so for that tensor alone', () => {
    const { root } = dumpOf([new Memory('float32', 6).view('arg_0', [6])], {
      record: { tensor_info: { input_tensor_keys: ['arg_0', 'arg_1'], output_tensor_keys: [] } },
    });
    const [call] = inspectSession(openSession(root)).calls;
    expect(call?.inputs.map(({ error }) => error)).toEqual([undefined, 'no tensor "arg_1" in the file']);
    expect(call?.reasons).toEqual(['input arg_1: no tensor "arg_1" in the file']);
  });

  it('that is torn still shows what the record tells', () => {
    const detail = { shape: [6], dtype: 'torch.float32', stride: [1], device: 'cpu' };
    const { root, file } = dumpOf([new Memory('float32', 6).view('arg_0', [6])], {
      record: { tensor_details: { arg_0: detail } },
    });
    writeFileSync(file, readFileSync(file).subarray(0, 300));
    const [call] = inspectSession(openSession(root), { stats: true }).calls;
    expect(call?.inputs).toEqual([
      expect.objectContaining({ key: 'arg_0', dtype: 'float32', error: expect.stringContaining('archive') }),
    ]);
    expect(call?.notes).toBeUndefined();
  });

  it('whose bytes were changed is found out where they are read whole, or asked for', () => {
    const large = new Memory('float32', 300_000);
    const { dump, file, root } = dumpOf([
      large.view('arg_0', [300_000]),
      large.view('arg_1', [4]),
      large.view('arg_2', [500, 600], [1, 500]),
      new Memory('int32', 4).view('arg_3', [4]),
    ]);
    const range = dump.tensor('inputs', 'arg_0').fileRange();
    const small = dump.tensor('inputs', 'arg_3').fileRange();
    const bytes = readFileSync(file);
    if (range === undefined || small === undefined) throw new Error('no range');
    for (const at of [range.begin, small.begin]) bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(file, bytes);
    const invalid = expect.objectContaining({ code: 'TORCH_INVALID' });
    const changed = openOnly(root);
    const tensor = (key: string) => changed.tensor('inputs', key);
    expect(() => tensor('arg_0').verify()).not.toThrow();
    expect(() => tensor('arg_0').verify({ values: true })).toThrow(invalid);
    expect(() => tensor('arg_0').logicalBytes()).toThrow(invalid);
    expect(() => [...tensor('arg_0').chunks(1024)]).toThrow(invalid);
    expect(() => tensor('arg_2').logicalBytes()).toThrow(invalid);
    expect(() => [...tensor('arg_2').chunks()]).toThrow(invalid);
    expect(tensor('arg_1').logicalBytes()).toHaveLength(16);
    expect(() => tensor('arg_3').verify()).toThrow(invalid);
    expect(() => [...tensor('arg_3').chunks()]).toThrow(invalid);
  });
});

describe('a .pt file of fir’s own', () => {
  const layout = (tensor: Partial<TensorLayout> & Pick<TensorLayout, 'dtype' | 'shape'>): TensorLayout => ({
    storage: 7,
    storageBytes: 4000,
    offset: 0,
    stride: contiguousStride(tensor.shape),
    device: 'cpu',
    ...tensor,
  });
  const inFile = (key: string) => ({ data: { file: 'inputs.pt', key } });

  it('has the recorded layout, and values out of the part of the storage that was kept', () => {
    const memory = new Memory('float32', 20);
    const tensors = {
      arg_0: layout({ dtype: 'float32', shape: [2, 3], stride: [1, 2], offset: 104, ...inFile('arg_0') }),
      arg_1: layout({ dtype: 'float32', shape: [2, 2], stride: [0, 1], offset: 100, ...inFile('arg_1') }),
    };
    const { dump } = dumpOf(
      [memory.view('arg_0', [2, 3], [1, 2], 14), memory.view('arg_1', [2, 2], [0, 1], 10)],
      { fir: { tensors } },
      false,
    );
    const [first, second] = ['arg_0', 'arg_1'].map((key) => dump.tensor('inputs', key));
    expect(first).toMatchObject({ storage: 7, storageBytes: 4000, offset: 104, stride: [1, 2] });
    expect(valuesOf(dump, 'arg_0')).toEqual([14, 16, 18, 15, 17, 19]);
    expect(valuesOf(dump, 'arg_1')).toEqual([10, 11, 10, 11]);
    // The file begins with element 10, which is element 100 of the storage.
    expect([first?.fileRange()?.storageBegin, second?.savedRange()?.byteOffset]).toEqual([400, 400]);
  });

  it('has 4-bit integers, strings and complex numbers as the recorder puts them there', () => {
    const packed = Uint8Array.of(0x21, 0x03);
    const text = Buffer.from('abé');
    const offsets = new Uint8Array(BigInt64Array.of(0n, 1n, 4n).buffer);
    const flat = (key: string, dtype: DtypeName, bytes: Uint8Array, shape: number[]): TorchWrite => ({
      key,
      dtype,
      shape,
      stride: contiguousStride(shape),
      storage: bytes,
      byteOffset: 0,
      bytes,
    });
    const complex = tensorOf('complex128', [1, 2, 3, 4], [2]).bytes ?? new Uint8Array();
    const { dump } = dumpOf(
      [
        flat('arg_0', 'uint8', packed, [2]),
        flat('arg_1#bytes', 'uint8', text, [4]),
        flat('arg_1#offsets', 'int64', offsets, [3]),
        flat('arg_2', 'complex128', complex, [2]),
      ],
      {
        fir: {
          tensors: {
            arg_0: layout({ dtype: 'int4', shape: [3], ...inFile('arg_0') }),
            arg_1: layout({ dtype: 'string', shape: [2], ...inFile('arg_1') }),
            arg_2: layout({ dtype: 'complex128', shape: [2], ...inFile('arg_2') }),
          },
        },
        record: { tensor_info: { input_tensor_keys: ['arg_0', 'arg_1', 'arg_2'], output_tensor_keys: [] } },
      },
      false,
    );
    expect(Buffer.from(dump.tensor('inputs', 'arg_0').logicalBytes())).toEqual(Buffer.from(packed));
    expect(dump.tensor('inputs', 'arg_1').strings?.()).toEqual(['a', 'bé']);
    expect(Buffer.from(dump.tensor('inputs', 'arg_2').logicalBytes())).toEqual(Buffer.from(complex));
  });

  it.each([
    ['another dtype', { dtype: 'int32' as const, shape: [6] }],
    ['another shape', { dtype: 'float32' as const, shape: [3, 2] }],
    ['packed values of another length', { dtype: 'uint4' as const, shape: [6] }],
  ])('is refused with %s than the record says', (_, tensor) => {
    const { dump } = dumpOf(
      [new Memory('float32', 6).view('arg_0', [6])],
      { fir: { tensors: { arg_0: layout({ ...tensor, ...inFile('arg_0') }) } } },
      false,
    );
    expect(() => dump.tensor('inputs', 'arg_0').verify()).toThrow(
      expect.objectContaining({ code: 'TENSOR_INVALID' }),
    );
  });
});

describe('both formats', () => {
  it('stand in one session', () => {
    const { root } = dumpOf([new Memory('float32', 2).view('arg_0', [2])]);
    writeSession(root, [{ functionName: 'g', pid: 9, inputs: { arg_0: tensorOf('float32', [0, 1]) } }], {
      foreign: true,
    });
    const hashes = [...inspectSession(openSession(root), { hash: true }).calls].map(
      (call) => call.inputs[0]?.sha256,
    );
    expect(hashes).toEqual([hashes[0], hashes[0]]);
    expect(hashes[0]).toHaveLength(64);
  });

  it.each(['torch', 'safetensors'] as const)(
    'are read where the record says %s and the other one is there',
    (format) => {
      const memory = new Memory('float32', 2);
      const detail = { shape: [2], dtype: 'torch.float32', stride: [1], device: 'cpu' };
      const { root, file } = dumpOf([memory.view('arg_0', [2])], {
        record: { tensor_format: format, tensor_details: { arg_0: detail } },
      });
      if (format === 'torch') {
        rmSync(file);
        writeSafetensors(file.replace('.pt', '.safetensors'), [
          { key: 'arg_0', dtype: 'F32', shape: [2], data: memory.bytes },
        ]);
      }
      expect(valuesOf(openOnly(root), 'arg_0')).toEqual([0, 1]);
      renameSync(file.replace('.pt', format === 'torch' ? '.safetensors' : '.pt'), join(root, 'gone'));
      expect(() => openOnly(root).tensor('inputs', 'arg_0').verify()).toThrow(
        expect.objectContaining({
          message: `inputs.${format === 'torch' ? 'pt' : 'safetensors'} is missing`,
        }),
      );
    },
  );

  it('give the place of a contiguous tensor of a safetensors file, and of no other', () => {
    const root = makeTempDir();
    const tensor = tensorOf('float32', [1, 2, 3, 4], [2, 2]);
    const [written] = writeSession(root, [
      {
        functionName: 'f',
        inputs: { arg_0: { ...tensor, offset: 3 }, arg_1: { ...tensor, stride: [1, 2] } },
      },
    ]);
    const dump = openOnly(root);
    const range = dump.tensor('inputs', 'arg_0').fileRange();
    expect(range).toMatchObject({ storageBegin: 12, path: join(written?.path ?? '', 'inputs.safetensors') });
    const bytes = readFileSync(range?.path ?? '').subarray(range?.begin, range?.end);
    expect(bytes).toEqual(Buffer.from(tensor.bytes ?? []));
    expect(dump.tensor('inputs', 'arg_1').fileRange()).toBeUndefined();
    expect(statSync(range?.path ?? '').size).toBeGreaterThan(range?.begin ?? 0);
  });
});
