import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { floatsOf, type Outcome, PythonWorkerClient, type Ran } from '../../../support/python-worker.js';
import { makeTempDir } from '../../../support/temp-dir.js';

let worker: PythonWorkerClient;
beforeAll(async () => {
  worker = await PythonWorkerClient.start();
});
afterAll(() => worker.close());

function give(name: string, from = worker): Promise<Ran> {
  return from.run({ function: 'give', input: { arg_0: name } });
}

async function result(name: string): Promise<unknown> {
  const { outcome } = await give(name);
  expect(outcome.end, JSON.stringify(outcome)).toBe('returned');
  return outcome.result;
}

describe('what a call returned is encoded', () => {
  it.each([
    ['none', null],
    ['dtype', { type: 'torch.dtype', value: 'torch.bfloat16' }],
    ['enum', { type: 'enum', name: 'Mode.FAST', value: 'fast' }],
    [
      'enum of a dtype',
      { type: 'enum', name: 'Mode.EXACT', value: { type: 'torch.dtype', value: 'torch.float32' } },
    ],
    ['set', { type: 'set', repr: '{1}' }],
    ['empty', { type: 'tuple', length: 0, items: [] }],
    ['unprintable', { type: '_Unprintable', repr: '<not serializable>' }],
    ['huge', { type: 'int', repr: expect.any(String) }],
    ['coroutine', { type: 'coroutine', repr: expect.stringContaining('<coroutine object _later') }],
    ['generator', { type: 'generator', repr: expect.stringContaining('<generator object') }],
    ['cycle', { type: 'list', items: [1, { type: 'list', repr: '<cycle>' }] }],
  ])('as FlashInfer does: %s', async (name, expected) => {
    const actual = await result(name);
    if (expected === null) expect(actual).toBeNull();
    else expect(actual).toMatchObject(expected);
  });

  it('with scalars as Python writes them', async () => {
    const { json } = await give('scalars');
    expect(json).toContain(
      '[1,1.0,true,null,"text \\ud800",NaN,-Infinity,1180591620717411303424,-0.0]'.replace('\\', '\\'),
    );
  });

  it('with keys by place: tuples at the top, containers inside, keys of dicts', async () => {
    const pair = await give('pair');
    expect(pair.outcome.result).toMatchObject({
      type: 'tuple',
      items: [
        { tensor_key: 'result_0' },
        {
          type: 'list',
          items: [
            { tensor_key: 'result_1__0' },
            {
              items: [
                { key: 'w', value: { tensor_key: 'result_1__1__value_0' } },
                { key: 2, value: 'b' },
              ],
            },
          ],
        },
      ],
    });
    expect(pair.outcome.tensors?.map(({ key }) => key)).toEqual([
      'result_0',
      'result_1__0',
      'result_1__1__value_0',
    ]);
    expect(await result('inside')).toMatchObject({
      type: 'list',
      items: [
        { type: 'Pair', length: 2, items: [1, 2] },
        { type: 'tuple', items: [{ tensor_key: 'result__1__0' }] },
      ],
    });
    expect(await result('dict')).toMatchObject({
      items: [{ key: 'sum', value: { tensor_key: 'result__value_0' } }],
    });
    expect(await result('tensor key')).toMatchObject({
      items: [{ key: { tensor_key: 'result__key_0' }, value: 1 }],
    });
  });

  it('down to a depth that every reader takes', async () => {
    const { json } = await give('deep');
    expect(json).toContain('<cycle>');
    expect(json.split('"items"').length).toBeGreaterThan(400);
  });
});

describe('values of tensors come back', () => {
  async function tensorOf(
    name: string,
  ): Promise<{ tensor: NonNullable<Outcome['tensors']>[number]; bytes: Buffer; node: unknown }> {
    const { outcome, payload } = await give(name);
    const tensor = outcome.tensors?.[0];
    if (tensor === undefined) throw new Error(JSON.stringify(outcome));
    const bytes =
      tensor.file === undefined
        ? payload.subarray(tensor.inline, (tensor.inline ?? 0) + tensor.bytes)
        : readFileSync(tensor.file);
    expect(bytes.length).toBe(tensor.bytes);
    return { tensor, bytes, node: outcome.result };
  }
  const hexOf = (...values: number[]) => Buffer.from(new Float32Array(values).buffer).toString('hex');

  it.each([
    ['bool', 'bool', '0100'],
    ['bfloat16', 'bfloat16', '803f803f'],
    ['complex', 'complex64', hexOf(1, -2)],
    ['imaginary', 'float32', hexOf(-2)],
    ['scalar', 'float32', hexOf(2.5)],
    ['parameter', 'float32', hexOf(1, 1)],
    ['no elements', 'float32', ''],
    ['transposed', 'float32', hexOf(0, 3, 1, 4, 2, 5)],
    ['complex128', 'complex128', Buffer.from(new Float64Array([1, 2, 3, 4]).buffer).toString('hex')],
  ])('row-major: %s', async (name, dtype, hex) => {
    const { tensor, bytes } = await tensorOf(name);
    expect([tensor.dtype, tensor.layout, bytes.toString('hex')]).toEqual([dtype, 'contiguous', hex]);
  });

  it('with the strides and the flags of the tensor itself', async () => {
    const { tensor, node } = await tensorOf('transposed');
    expect(tensor).toMatchObject({ shape: [3, 2], stride: [1, 3], device: 'cpu' });
    expect(node).toMatchObject({
      shape: [3, 2],
      stride: [1, 3],
      dtype: 'torch.float32',
      is_contiguous: false,
      requires_grad: false,
    });
    expect((await tensorOf('parameter')).node).toMatchObject({ requires_grad: true, tensor_key: 'result' });
  });

  it('as the memory that they cover, where their elements share it', async () => {
    const { tensor, bytes } = await tensorOf('expanded');
    expect(tensor).toMatchObject({ layout: 'range', shape: [100_000, 3], stride: [0, 1] });
    expect(bytes.toString('hex')).toBe(hexOf(0, 1, 2));
  });

  it.each(['large', 'large and strided'])('in a private file where they are large: %s', async (name) => {
    const { tensor, bytes } = await tensorOf(name);
    const file = tensor.file ?? '';
    expect(tensor.inline).toBeUndefined();
    expect(file.startsWith(`${worker.folder}/`)).toBe(true);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const step = name === 'large' ? 1 : 2;
    const { buffer, byteOffset, length } = Buffer.from(bytes);
    const values = new Float32Array(buffer.slice(byteOffset, byteOffset + length));
    expect([values[0], values[1], values.at(-1)]).toEqual([0, step, 100_000 - step]);
  });

  it.each([
    ['sparse', 'a sparse tensor (torch.sparse_coo) of shape [2, 2]'],
    ['quantised', 'a quantised tensor of shape [2]'],
    ['meta', 'a tensor without values (meta) of shape [2]'],
  ])('as a description where they are no plain memory: %s', async (name, expected) => {
    expect(await result(name)).toMatchObject({
      type: 'torch.Tensor',
      repr: expect.stringContaining(expected),
    });
  });

  it('not at all from a call that only makes state', async () => {
    const { outcome } = await worker.run({ function: 'give', input: { arg_0: 'large' }, purpose: 'state' });
    expect(outcome).toMatchObject({ end: 'returned' });
    expect(outcome).not.toHaveProperty('tensors');
  });
});

describe('where shared memory has no room', () => {
  it('large results go to the other folder, and nothing is left behind', async () => {
    const [shared, fallback] = [makeTempDir(), makeTempDir()];
    const other = await PythonWorkerClient.startForTest({ setup: { shared: '/dev/full/none', fallback } });
    const ran = await give('large', other);
    expect(ran.outcome.tensors?.[0]?.file?.startsWith(`${fallback}/`)).toBe(true);
    expect(readdirSync(shared)).toEqual([]);
    expect(floatsOf(await give('scalar', other))).toEqual([2.5]);
  });

  it('a result that fits nowhere is refused, and the worker goes on', async () => {
    const missing = join(makeTempDir(), 'missing');
    const other = await PythonWorkerClient.startForTest({ setup: { shared: missing, fallback: missing } });
    const { outcome } = await give('large', other);
    expect(outcome).toMatchObject({ end: 'refused', error: { code: 'PYTHON_ERROR' } });
    expect(outcome.error?.message).toContain(
      `a result of 400000 bytes can't be handed over: ${missing}: No such file`,
    );
    mkdirSync(missing);
    chmodSync(missing, 0o700);
    expect((await give('large', other)).outcome.end).toBe('returned');
  });
});
