import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  type CallSpec,
  floats,
  floatsOf,
  PythonWorkerClient,
  type Ran,
} from '../../../support/python-worker.js';

let worker: PythonWorkerClient;
beforeAll(async () => {
  worker = await PythonWorkerClient.start();
});
afterAll(() => worker.close());

function run(spec: CallSpec): Promise<Ran> {
  return worker.run({ module: 'fir_demo_kernels', ...spec });
}

const tensor = (key: string) => ({ type: 'torch.Tensor', shape: [2], tensor_key: key });

it('a function gets its tuple, its dict, its enum and its dtype', async () => {
  const [two, bytes] = floats([2, 3]);
  const ran = await run({
    function: 'nested',
    input: {
      arg_0: { type: 'tuple', length: 2, items: [tensor('arg_0__0'), tensor('arg_0__1')], truncated: false },
      arg_1: {
        type: 'dict',
        length: 2,
        items: [
          { key: 'w', value: tensor('arg_1__value_0') },
          { key: 'flag', value: true },
        ],
        truncated: false,
      },
      arg_2: { type: 'enum', name: 'DemoMode.PROD', value: 'prod' },
      arg_3: { type: 'torch.dtype', value: 'torch.float32' },
    },
    positional: ['arg_0', 'arg_1', 'arg_2', 'arg_3'],
    tensors: {
      arg_0__0: { ...two, storage: 0 },
      arg_0__1: { ...two, storage: 0 },
      arg_1__value_0: { ...two, storage: 0 },
    },
    storages: [bytes],
  });
  expect(floatsOf(ran)).toEqual([8, 27]);
});

it('a function gets its named tuple', async () => {
  const [two, bytes] = floats([2, 3]);
  const { outcome } = await run({
    function: 'sum_tree',
    input: { arg_0: { type: 'DemoPair', length: 2, items: [tensor('arg_0__0'), 1], truncated: false } },
    positional: ['arg_0'],
    tensors: { arg_0__0: two },
    storages: [bytes],
  });
  expect(outcome).toMatchObject({
    end: 'returned',
    result: { dtype: 'torch.float64' },
    tensors: [{ bytes: 8 }],
  });
});

it('a wrapper is constructed, planned and run', async () => {
  const self = '<fir_demo_kernels.BatchDemoWrapper object at 0x7f3a5819f950>';
  const ofWrapper = (name: string): CallSpec => ({
    function: `BatchDemoWrapper.${name}`,
    class: { module: 'fir_demo_kernels', qualname: 'BatchDemoWrapper' },
    kind: 'method',
    self: 'w',
  });
  const [workspace, bytes] = floats([0]);
  const made = await run({
    ...ofWrapper('__init__'),
    kind: 'constructor',
    self: null,
    signature: "(self, workspace, kv_layout='NHD')",
    input: { arg_0: { type: 'BatchDemoWrapper', repr: self }, kwarg_kv_layout: 'NHD' },
    positional: ['arg_0', 'arg_1'],
    named: [['kwarg_kv_layout', 'kv_layout']],
    tensors: { arg_1: workspace },
    storages: [bytes],
    makes: ['w'],
  });
  expect(made.outcome).toMatchObject({ end: 'returned', notes: [] });
  const early = await run({
    ...ofWrapper('run'),
    positional: ['arg_0', 'arg_1', 'arg_1'],
    tensors: { arg_1: workspace },
    storages: [bytes],
  });
  expect(early.outcome).toMatchObject({ end: 'threw', error: { name: 'RuntimeError' } });
  const integers = (values: number[]) => Buffer.from(new Int32Array(values).buffer);
  await run({
    ...ofWrapper('plan'),
    positional: ['arg_0', 'arg_1', 'arg_2'],
    tensors: { arg_1: { dtype: 'int32', shape: [2] }, arg_2: { dtype: 'int32', shape: [1] } },
    storages: [integers([0, 1]), integers([0])],
    purpose: 'state',
  });
  const ran = await run({
    ...ofWrapper('run'),
    positional: ['arg_0', 'arg_1', 'arg_2'],
    tensors: { arg_1: { shape: [1, 1, 2] }, arg_2: { shape: [1, 2, 1, 2] } },
    storages: [floats([1, 0])[1], floats([1, 2, 3, 4])[1]],
  });
  expect(floatsOf(ran, 'result_0')).toEqual([3, 4]);
  expect(ran.outcome.tensors?.map(({ key }) => key)).toEqual(['result_0', 'result_1']);
});

it('a method of an object that no recorded call made is refused', async () => {
  const { outcome } = await run({
    function: 'schedule',
    kind: 'method',
    class: { module: 'fir_demo_kernels', qualname: 'DemoPlanner' },
    positional: ['arg_0'],
  });
  expect(outcome.error).toMatchObject({
    code: 'NOT_REPLAYABLE',
    message: 'the object that it is a method of was not made by any call before it',
  });
});
