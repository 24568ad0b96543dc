// Files of torch.save that hold other objects beside good tensors: the tensors are read, and each other object is told by its name.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { runFir, runProcess } from '../support/fir.js';
import { pythonWithTorch } from '../support/python.js';
import { type ReplayDocument, replayJson } from '../support/replay-json.js';
import { type WrittenCall, writeSession } from '../support/session-writer.js';
import { sharedDirectory } from './captured.js';

const KERNELS = `
def scaled(x, factor, bias=None):
    return x * float(factor)
`;

/** What each call's `inputs.pt` holds; `x` is a good tensor in every one. */
const SAVE = `
import argparse, sys, types
import numpy
import torch

x = torch.arange(6, dtype=torch.float32).reshape(2, 3).t()
sys.modules['made_elsewhere'] = types.ModuleType('made_elsewhere')
class Config:
    def __init__(self):
        self.weights = torch.ones(2)
class Named(torch.Tensor):
    pass
for made in (Config, Named):
    made.__module__ = 'made_elsewhere'
    setattr(sys.modules['made_elsewhere'], made.__name__, made)
INPUTS = [
    {'arg_0': x, 'arg_1': torch.tensor(3.0)},
    {'arg_0': x, 'arg_1': numpy.float64(3.0)},
    {'arg_0': x, 'arg_1': argparse.Namespace(factor=3.0)},
    {'arg_0': x, 'arg_1': torch.tensor(3.0), 'kwarg_bias': types.SimpleNamespace(b=torch.ones(3))},
    {'arg_0': x, 'arg_1': Config()},
    {'arg_0': x, 'arg_1': torch.tensor(3.0), 'stats': numpy.float32(1.5), 'options': argparse.Namespace(a=1), 'more': Config()},
    {'arg_0': x, 'arg_1': torch.ones(1).as_subclass(Named)},
]
for inputs, folder in zip(INPUTS, sys.argv[1:]):
    torch.save(inputs, folder + '/inputs.pt')
    torch.save({'result': x * 3}, folder + '/outputs.pt')
`;

/** Keys that the recorder named as tensors: a value that was none of its own all the same. */
const KEYS = [
  ['arg_0', 'arg_1'],
  ['arg_0', 'arg_1'],
  ['arg_0', 'arg_1'],
  ['arg_0', 'arg_1', 'kwarg_bias'],
  ['arg_0', 'arg_1'],
  ['arg_0', 'arg_1'],
  ['arg_0', 'arg_1'],
];

/** The argument and the name of what it is, by call; undefined where nothing that the call needs is opaque. */
const OPAQUE: readonly ([argument: string, global: string] | undefined)[] = [
  undefined,
  ['arg_1', 'numpy.core.multiarray.scalar'],
  ['arg_1', 'argparse.Namespace'],
  ['kwarg_bias', 'types.SimpleNamespace'],
  ['arg_1', 'made_elsewhere.Config'],
  undefined,
  ['arg_1', 'made_elsewhere.Named'],
];

interface Inspected {
  calls: {
    replayable: boolean;
    reasons: string[];
    notes?: string[];
    inputs: { key: string; shape?: number[]; stride?: number[]; error?: string; stats?: object }[];
  }[];
}

const root = sharedDirectory();
const session = join(root, 'session');
let inspected: Inspected;
let replayed: ReplayDocument;

beforeAll(async () => {
  const python = await pythonWithTorch();
  writeFileSync(join(root, 'kernels.py'), KERNELS);
  const calls = KEYS.map(
    (keys): WrittenCall => ({
      functionName: 'scaled',
      record: {
        tensor_format: 'torch',
        tensor_info: { input_tensor_keys: keys, output_tensor_keys: ['result'] },
      },
    }),
  );
  const dumps = writeSession(session, calls, { foreign: true });
  const saved = await runProcess(python, ['-c', SAVE, ...dumps.map(({ path }) => path)]);
  expect(saved.stderr).toBe('');
  inspected = JSON.parse((await runFir(['inspect', session, '--json', '--stats'])).stdout);
  const flags = ['--python', python, '--pythonpath', root, '--allow', 'kernels', '--device', 'cpu'];
  replayed = await replayJson(session, flags);
}, 900_000);

/** Newer versions of numpy moved what makes their scalars. */
function withAnyNumpy(name: string): RegExp {
  return new RegExp(name.replace(/\./g, '\\.').replace('numpy\\.core', 'numpy\\._?core'));
}

describe.each(OPAQUE.map((opaque, index) => ({ opaque, index })))('call $index', ({ opaque, index }) => {
  const [argument = '', global = ''] = opaque ?? [];

  it('has its good tensors read', () => {
    const [x] = inspected.calls[index]?.inputs ?? [];
    expect(x).toMatchObject({ key: 'arg_0', shape: [3, 2], stride: [1, 3] });
    expect(x?.error).toBeUndefined();
    expect(x?.stats).toMatchObject({ min: 0, max: 5 });
  });

  it('is told with what it needs and nobody can read', () => {
    const { replayable, reasons } = inspected.calls[index] ?? { reasons: [] };
    expect([replayable, reasons.length]).toEqual([opaque === undefined, opaque === undefined ? 0 : 1]);
    if (opaque === undefined) return;
    expect(reasons[0]).toContain(argument);
    expect(reasons[0]).toMatch(withAnyNumpy(global));
  });

  it('is run again, or the reason names argument and class', () => {
    const { verdict, reason } = replayed.calls[index] ?? {};
    expect(verdict).toBe(opaque === undefined ? 'pass' : 'skipped');
    if (opaque === undefined) return;
    expect(reason).toMatch(/^not replayable: /);
    expect(reason).toContain(argument);
    expect(reason).toMatch(withAnyNumpy(global));
  });
});

it('what no argument is gets told, and changes nothing', () => {
  expect(inspected.calls[5]?.notes?.join()).toMatch(withAnyNumpy('numpy.core.multiarray.scalar'));
  expect(inspected.calls[5]?.notes?.join()).toContain('argparse.Namespace');
  expect(replayed.code).toBe(3);
});
