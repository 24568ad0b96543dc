import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type CallSpec,
  floats,
  floatsOf,
  PythonWorkerClient,
  type WireTensor,
} from '../../../support/python-worker.js';
import { makeTempDir } from '../../../support/temp-dir.js';

let worker: PythonWorkerClient;
beforeAll(async () => {
  worker = await PythonWorkerClient.start();
});
afterAll(() => worker.close());

const SIX = Buffer.from(new Float32Array([0, 1, 2, 3, 4, 5]).buffer);

/** What `layout` says of a tensor, by name. */
async function layoutOf(
  tensor: WireTensor,
  storage: NonNullable<CallSpec['storages']>[number],
): Promise<object> {
  const { outcome } = await worker.run({
    function: 'layout',
    tensors: { arg_0: tensor },
    storages: [storage],
  });
  if (outcome.end !== 'returned') throw new Error(`${outcome.error?.code} ${outcome.error?.message}`);
  return plain(outcome.result) as object;
}

function plain(node: unknown): unknown {
  if (typeof node !== 'object' || node === null) return node;
  const { type, items } = node as { type: string; items: unknown[] };
  if (type !== 'dict') return items.map(plain);
  return Object.fromEntries(
    (items as { key: string; value: unknown }[]).map(({ key, value }) => [key, plain(value)]),
  );
}

describe('layouts', () => {
  it.each<[string, WireTensor, object]>([
    [
      'contiguous',
      { shape: [2, 3] },
      {
        stride: [3, 1],
        offset: 0,
        values: [
          [0, 1, 2],
          [3, 4, 5],
        ],
      },
    ],
    [
      'transposed',
      { shape: [3, 2], stride: [1, 3] },
      {
        stride: [1, 3],
        values: [
          [0, 3],
          [1, 4],
          [2, 5],
        ],
      },
    ],
    ['in the middle', { shape: [2], stride: [2], offset: 1 }, { offset: 1, stride: [2], values: [1, 3] }],
    [
      'expanded',
      { shape: [2, 2], stride: [0, 1], offset: 4 },
      {
        stride: [0, 1],
        values: [
          [4, 5],
          [4, 5],
        ],
      },
    ],
    ['without dimensions', { shape: [], stride: [], offset: 5 }, { shape: [], values: 5 }],
    ['without elements', { shape: [0, 3], stride: [3, 1], offset: 6 }, { shape: [0, 3], values: [] }],
    ['of bytes', { dtype: 'uint8', shape: [2], offset: 6 }, { dtype: 'torch.uint8', values: [128, 63] }],
    [
      'of another type than its bytes fill',
      { dtype: 'float64', shape: [3] },
      { dtype: 'torch.float64', shape: [3] },
    ],
    [
      'as a parameter',
      { shape: [1], parameter: true, requires_grad: true },
      { class: 'Parameter', requires_grad: true },
    ],
    ['as a frozen parameter', { shape: [1], parameter: true }, { class: 'Parameter', requires_grad: false }],
    [
      'that requires a gradient',
      { shape: [1], requires_grad: true },
      { class: 'Tensor', requires_grad: true },
    ],
  ])('are as recorded: %s', async (_, tensor, expected) => {
    expect(await layoutOf(tensor, SIX)).toMatchObject(expected);
  });

  it.each<[string, WireTensor, string]>([
    ['is larger than its storage', { shape: [7] }, 'VALUE_INVALID arg_0 reaches beyond the 24 bytes'],
    ['ends outside of it', { shape: [2], stride: [2], offset: 4 }, 'VALUE_INVALID arg_0 reaches beyond'],
    ['begins before it', { shape: [1], offset: -1 }, 'VALUE_INVALID the layout of arg_0 makes no sense'],
    [
      'steps backwards',
      { shape: [2], stride: [-1], offset: 3 },
      'VALUE_INVALID the layout of arg_0 makes no sense',
    ],
    [
      'has a stride too few',
      { shape: [1, 1], stride: [1] },
      'VALUE_INVALID the layout of arg_0 makes no sense',
    ],
    [
      'has a size that no machine counts',
      { shape: [2 ** 62, 4], stride: [0, 2 ** 62] },
      'VALUE_INVALID arg_0',
    ],
    ['is of an unknown type', { dtype: 'load', shape: [1] }, 'has no tensors of load'],
    ['is of 4-bit integers', { dtype: 'int4', shape: [1] }, 'NOT_REPLAYABLE'],
    [
      'is of integers and requires a gradient',
      { dtype: 'int32', shape: [1], requires_grad: true },
      'VALUE_INVALID arg_0',
    ],
    ['has no storage', { shape: [1], storage: 3 }, 'VALUE_INVALID there is no storage 3'],
  ])('are refused where a tensor %s', async (_, tensor, expected) => {
    await expect(layoutOf(tensor, SIX)).rejects.toThrow(expected);
  });

  it('are refused where the frame does not hold the storage', async () => {
    await expect(layoutOf({ shape: [2] }, { bytes: 8, inline: 1 << 20 })).rejects.toThrow(
      'outside of its frame',
    );
    await expect(layoutOf({ shape: [2] }, { bytes: 2 ** 40, inline: 0 })).rejects.toThrow(
      'outside of its frame',
    );
  });
});

describe('in-place changes', () => {
  it('are seen by every tensor of the storage, and results that share memory say so', async () => {
    const ran = await worker.run({
      function: 'add_into',
      tensors: {
        arg_0: { shape: [2, 2], storage: 0 },
        arg_1: { shape: [2], storage: 1 },
        arg_2: { shape: [3], stride: [2], offset: 0, storage: 0 },
      },
      storages: [SIX, Buffer.from(new Float32Array([10, 20]).buffer)],
    });
    expect(floatsOf(ran, 'result_0')).toEqual([10, 21, 12, 23]);
    expect(floatsOf(ran, 'result_1')).toEqual([10, 12, 4]);
    expect(ran.outcome.tensors?.map(({ storage }) => storage)).toEqual(['input:0', 'input:0']);
    expect(ran.outcome.tensors?.map(({ stride }) => stride)).toEqual([[2, 1], [2]]);
  });

  it('of parameters are allowed, since nothing records gradients', async () => {
    const [tensor, bytes] = floats([1, 2]);
    const parameter = { ...tensor, parameter: true, requires_grad: true };
    const ran = await worker.run({
      function: 'add_into',
      tensors: { arg_0: parameter, arg_1: { shape: [2], storage: 1 } },
      storages: [bytes, bytes],
    });
    expect(floatsOf(ran, 'result_0')).toEqual([2, 4]);
    const { outcome } = await worker.run({
      function: 'grad_mode',
      tensors: { arg_0: parameter },
      storages: [bytes],
    });
    expect(outcome.result).toMatchObject({ items: [false, false, { requires_grad: true }] });
  });

  it('of size work on memory that came in the frame', async () => {
    const ran = await worker.run({ function: 'grow', tensors: { arg_0: { shape: [6] } }, storages: [SIX] });
    expect(floatsOf(ran).slice(0, 6)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(ran.outcome.tensors?.[0]?.shape).toEqual([1000]);
  });
});

describe('storages in files', () => {
  const values = Float32Array.from({ length: 3000 }, (_, index) => index);

  it.each([
    ['at the start', 0],
    ['on a boundary of torch', 64],
    ['behind a page', 4096 + 64],
    ['where no element is aligned', 4099],
  ])('are read %s, and never written to', async (_, offset) => {
    const file = join(makeTempDir(), 'data');
    const content = Buffer.concat([Buffer.alloc(offset, 7), Buffer.from(values.buffer)]);
    writeFileSync(file, content);
    const storage = { bytes: values.byteLength, file, offset };
    const ran = await worker.run({
      function: 'add_into',
      tensors: { arg_0: { shape: [3000], storage: 0 }, arg_1: { shape: [3000], storage: 0 } },
      storages: [storage],
    });
    expect(floatsOf(ran, 'result_0')[2999]).toBe(5998);
    expect(await layoutOf({ shape: [2], offset: 2998 }, storage)).toMatchObject({ values: [2998, 2999] });
  });

  it('are refused where the file is too short or missing', async () => {
    const file = join(makeTempDir(), 'data');
    writeFileSync(file, Buffer.alloc(100));
    const storage = { bytes: 100, file, offset: 1 };
    await expect(layoutOf({ shape: [2] }, storage)).rejects.toThrow(
      `VALUE_INVALID ${file} ends before the tensors`,
    );
    const missing = { bytes: 100, file: `${file}-2`, offset: 0 };
    await expect(layoutOf({ shape: [2] }, missing)).rejects.toThrow('PYTHON_ERROR');
    await expect(layoutOf({ shape: [2] }, { ...storage, offset: 2 ** 52 })).rejects.toThrow('VALUE_INVALID');
  });
});
