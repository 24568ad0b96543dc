// Element types that some versions of torch lack: they pass through bit by bit, or the refusal says so.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { pythonWithTorch } from '../../../support/python.js';
import { PythonWorkerClient } from '../../../support/python-worker.js';

const TYPES = [
  'float8_e4m3fn',
  'float8_e5m2',
  'float8_e4m3fnuz',
  'float8_e5m2fnuz',
  'float8_e8m0fnu',
  'float4_e2m1fn_x2',
  'uint16',
  'uint32',
  'uint64',
  'bfloat16',
] as const;

let worker: PythonWorkerClient;
let torch: { version: string; types: string[] };
beforeAll(async () => {
  const program = `
import json, torch
types = [n for n in ${JSON.stringify(TYPES)} if isinstance(getattr(torch, n, None), torch.dtype)]
print(json.dumps({'version': torch.__version__, 'types': types}))`;
  const { stdout } = await promisify(execFile)(await pythonWithTorch(), ['-c', program]);
  torch = JSON.parse(stdout);
  worker = await PythonWorkerClient.start();
});
afterAll(() => worker.close());

it.each(TYPES)('%s', async (dtype) => {
  const bits = Buffer.from(Uint8Array.from({ length: 256 }, (_, index) => index));
  const size = { uint16: 2, bfloat16: 2, uint32: 4, uint64: 8 }[dtype as string] ?? 1;
  const { outcome, payload } = await worker.run({
    function: 'give_first',
    module: 'worker_plain',
    tensors: { arg_0: { dtype, shape: [128 / size, 2], stride: [1, 128 / size] } },
    storages: [bits],
  });
  if (!torch.types.includes(dtype)) {
    expect(outcome).toMatchObject({ end: 'refused', error: { code: 'NOT_REPLAYABLE' } });
    expect(outcome.error?.message).toBe(`torch ${torch.version} has no tensors of ${dtype} (arg_0)`);
    return;
  }
  const [tensor] = outcome.tensors ?? [];
  expect(tensor).toMatchObject({ dtype, shape: [128 / size, 2], stride: [1, 128 / size] });
  const expected = Array.from({ length: 256 / size }, (_, index) => {
    const element = (index % 2) * (128 / size) + Math.floor(index / 2);
    return bits.subarray(element * size, (element + 1) * size);
  });
  const begin = tensor?.inline ?? 0;
  expect(payload.subarray(begin, begin + 256).equals(Buffer.concat(expected))).toBe(true);
});

it('the version that is too old for a type still runs calls of the others', async () => {
  const { outcome } = await worker.run({
    function: 'give_first',
    module: 'worker_plain',
    tensors: { arg_0: { dtype: 'float6_e3m2', shape: [4] } },
    storages: [Buffer.alloc(4)],
  });
  expect(outcome.error?.message).toContain('has no tensors of float6_e3m2');
  const next = await worker.run({ function: 'give_first', module: 'worker_plain', input: { arg_0: 1 } });
  expect(next.outcome.result).toBe(1);
});
