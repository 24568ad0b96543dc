// A session that was recorded on GPUs, on a machine that has none.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { runFir, runProcess } from '../support/fir.js';
import { pythonWithTorch } from '../support/python.js';
import { replayJson } from '../support/replay-json.js';
import { type WrittenCall, writeSession } from '../support/session-writer.js';
import { sharedDirectory } from './captured.js';

const TIMEOUT_MS = 120_000;
/** Hides the GPUs of a machine that has some. */
const NO_GPU = { CUDA_VISIBLE_DEVICES: '' };

const KERNELS = `
import torch

def scaled(x, factor, device=None):
    return x * factor.to(x.device)

def filled(count, value, device):
    assert isinstance(device, torch.device)
    return torch.full((count,), value, device=device)

def spread(parts, devices):
    return sum(torch.ones(1, device=device) * part for device, part in zip(devices, parts))

def placed(device):
    return [device, 1]
`;

/** As torch tags the memory of GPUs, without one. */
const SAVE = `
import sys, torch
tag = 'cpu'
torch.serialization.register_package(0, lambda storage: tag, lambda storage, location: None)
x = torch.arange(4, dtype=torch.float32)
scaled, filled, spread = sys.argv[1:4]
tag = 'cuda:7'
torch.save({'arg_0': x, 'arg_1': torch.tensor(3.0)}, scaled + '/inputs.pt')
torch.save({'result': x * 3}, scaled + '/outputs.pt')
torch.save({'result': torch.full((3,), 2.5)}, filled + '/outputs.pt')
tag = 'cuda:3'
torch.save({'arg_0__0': torch.ones(1), 'arg_0__1': torch.ones(1) * 2}, spread + '/inputs.pt')
torch.save({'result': torch.ones(1) * 3}, spread + '/outputs.pt')
`;

const device = (repr: string) => ({ type: 'device', repr });
const list = (...items: object[]) => ({ type: 'list', length: items.length, items, truncated: false });
const nested = (key: string) => ({
  type: 'torch.Tensor',
  shape: [1],
  dtype: 'torch.float32',
  stride: [1],
  device: 'cuda:3',
  requires_grad: false,
  is_contiguous: true,
  tensor_key: key,
});

const CALLS: readonly (WrittenCall & { keys: string[] })[] = [
  { functionName: 'scaled', keys: ['arg_0', 'arg_1'], inputMetadata: { kwarg_device: device('cuda:7') } },
  {
    functionName: 'filled',
    keys: [],
    inputMetadata: { arg_0: 3, arg_1: 2.5, kwarg_device: device('cuda') },
  },
  {
    functionName: 'spread',
    keys: ['arg_0__0', 'arg_0__1'],
    inputMetadata: {
      arg_0: list(nested('arg_0__0'), nested('arg_0__1')),
      arg_1: list(device('cuda:3'), device('cpu')),
    } as NonNullable<WrittenCall['inputMetadata']>,
  },
  {
    functionName: 'placed',
    keys: [],
    inputMetadata: { arg_0: device('cuda:7') },
    outputMetadata: { result: { type: 'list', length: 2, items: [device('cuda:7'), 1] } },
  },
];

const root = sharedDirectory();
const session = join(root, 'session');
let flags: string[] = [];

beforeAll(async () => {
  const python = await pythonWithTorch();
  flags = ['--python', python, '--pythonpath', root, '--allow', 'kernels'];
  writeFileSync(join(root, 'kernels.py'), KERNELS);
  const dumps = writeSession(
    session,
    CALLS.map(({ keys, ...call }) => ({
      ...call,
      record: {
        tensor_format: 'torch',
        tensor_info: {
          input_tensor_keys: keys,
          output_tensor_keys: call.functionName === 'placed' ? [] : ['result'],
        },
      },
    })),
    { foreign: true },
  );
  const saved = await runProcess(python, ['-c', SAVE, ...dumps.map(({ path }) => path)]);
  expect(saved.stderr).toBe('');
}, 900_000);

it(
  'tensors and devices of GPUs that are not there go to the host, and each is told once',
  async () => {
    const { calls, code } = await replayJson(session, [...flags, '--device', 'cpu'], { env: NO_GPU });
    expect(calls.map(({ verdict, reason }) => reason ?? verdict)).toEqual(['pass', 'pass', 'pass', 'pass']);
    expect(code).toBe(0);
    const notes = calls.map((call) => call.notes?.filter((note) => note.startsWith('device: ')) ?? []);
    expect(notes).toEqual([
      ['device: cuda:7 -> cpu'],
      ['device: cuda -> cpu'],
      ['device: cuda:3 -> cpu'],
      [],
    ]);
  },
  TIMEOUT_MS,
);

it(
  'where they went is printed',
  async () => {
    const { stdout, code } = await runFir(['replay', session, ...flags, '--device', 'cpu'], { env: NO_GPU });
    expect(code).toBe(0);
    expect(stdout).toContain('on cpu');
    expect(stdout.match(/device: cuda:7 -> cpu/g)).toHaveLength(1);
  },
  TIMEOUT_MS,
);

it(
  'without one, auto is the host',
  async () => {
    const { calls } = await replayJson(session, flags, { env: NO_GPU });
    expect(calls.map(({ verdict }) => verdict)).toEqual(['pass', 'pass', 'pass', 'pass']);
  },
  TIMEOUT_MS,
);

it.each(['cuda', 'cuda:7'])(
  'asking for %s without one is an error before any call',
  async (wanted) => {
    const told = await runFir(['replay', session, ...flags, '--device', wanted], { env: NO_GPU });
    expect([told.code, told.stdout]).toEqual([2, '']);
    expect(told.stderr).toBe(`fir: device ${wanted} is not there: torch sees no CUDA device\n`);
    const json = await runFir(['replay', session, '--json', ...flags, '--device', wanted], { env: NO_GPU });
    expect(json.code).toBe(2);
    expect(JSON.parse(json.stdout).error).toMatchObject({ code: 'DEVICE_MISSING' });
  },
  TIMEOUT_MS,
);
