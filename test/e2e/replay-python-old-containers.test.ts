// Sessions of the recorder's first versions, which wrote lists, tuples and dicts as texts.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { CallResult } from '../../src/core/model/verdict.js';
import { runFir } from '../support/fir.js';
import { pythonWithTorch } from '../support/python.js';
import { replayJson } from '../support/replay-json.js';
import { tensorOf, type WrittenCall, writeSession } from '../support/session-writer.js';
import { sharedDirectory } from './captured.js';

const KERNELS = `
def combined(x, weights, options=None):
    assert type(weights) is list and type(options) is dict and type(options["bounds"]) is tuple
    low, high = options["bounds"]
    return (x * weights[0] + weights[1]).clamp(low, high)

def untouched(x, value):
    raise AssertionError("it is not to be called")

def sizes(x):
    return [int(x.sum()), {"half": 0.5}]

def parts(x):
    return [x, x]

def both(x):
    return x, [1, 2]
`;

const text = (type: string, value: string) => ({ type, value });
const input = tensorOf('float32', [1, 2, 3, 4]);

function untouched(value: { type: string; value: string }): WrittenCall {
  return {
    functionName: 'untouched',
    inputs: { arg_0: input },
    outputs: { result: input },
    inputMetadata: { arg_1: value },
  };
}

const CALLS: readonly WrittenCall[] = [
  {
    functionName: 'combined',
    inputs: { arg_0: input },
    outputs: { result: tensorOf('float32', [0.5, 2.5, 4.5, 5]) },
    inputMetadata: {
      arg_1: text('list', '[2, -1.5]'),
      kwarg_options: text('dict', "{'bounds': (-1, 5.0), 'name': \"it's\"}"),
    },
  },
  untouched(text('list', '[tensor([1., 2.]), tensor([3.])]')),
  untouched(text('dict', `{'table': [${'0, '.repeat(400)}`.slice(0, 1000))),
  untouched(text('list', '[<kernels.Config object at 0x7f3a5819f950>]')),
  untouched(text('Pair', 'Pair(left=1, right=2)')),
];

/** Calls of which the result was written so, and whether it is what they return. */
const RESULTS: readonly [result: string, verdict: string, call: WrittenCall][] = [
  ['as a text', 'pass', resulted('sizes', { result: text('list', "[10, {'half': 0.5}]") })],
  ['as a text that differs', 'mismatch', resulted('sizes', { result: text('list', "[10, {'half': 0.25}]") })],
  ['as another type', 'mismatch', resulted('sizes', { result: text('tuple', "(10, {'half': 0.5})") })],
  [
    'as a text of tensors',
    'unchecked',
    resulted('parts', { result: text('list', '[tensor([1., 2., 3., 4.]), tensor([1., 2., 3., 4.])]') }),
  ],
  [
    'as a text in a tuple',
    'pass',
    resulted('both', { result_1: text('list', '[1, 2]') }, { result_0: input }),
  ],
  [
    'as a text in a tuple that differs',
    'mismatch',
    resulted('both', { result_1: text('list', '[1, 3]') }, { result_0: input }),
  ],
];

function resulted(
  functionName: string,
  outputMetadata: NonNullable<WrittenCall['outputMetadata']>,
  outputs: NonNullable<WrittenCall['outputs']> = {},
): WrittenCall {
  return { functionName, inputs: { arg_0: input }, outputs, outputMetadata };
}

const REASONS: readonly (string | undefined)[] = [
  undefined,
  'a list of tensors',
  'a dict that was cut short',
  'a list',
  'a Pair',
];

const root = sharedDirectory();
const session = join(root, 'session');
let inspected: { calls: { replayable: boolean; reasons: string[] }[] };
let replayed: CallResult[];

beforeAll(async () => {
  writeFileSync(join(root, 'kernels.py'), KERNELS);
  writeSession(session, [...CALLS, ...RESULTS.map(([, , call]) => call)], { foreign: true });
  inspected = JSON.parse((await runFir(['inspect', session, '--json'])).stdout);
  const python = await pythonWithTorch();
  const flags = ['--python', python, '--pythonpath', root, '--allow', 'kernels', '--device', 'cpu'];
  replayed = (await replayJson(session, flags)).calls;
}, 900_000);

describe.each(REASONS.map((reason, index) => ({ reason, index })))('call $index', ({ reason, index }) => {
  it('is run again where its texts hold all of their values, and inspect says so', () => {
    const { replayable, reasons } = inspected.calls[index] ?? { reasons: [] };
    expect([replayable, reasons.length]).toEqual([reason === undefined, reason === undefined ? 0 : 1]);
    const { verdict, reason: told } = replayed[index] ?? {};
    expect(verdict).toBe(reason === undefined ? 'pass' : 'skipped');
    if (reason === undefined) return;
    expect(reasons[0]).toContain(`arg_1: ${reason.replace('that was', 'was')}`);
    expect(told).toContain(`not replayable: arg_1 holds ${reason}`);
  });
});

it.each(RESULTS.map(([how, verdict], index) => ({ how, verdict, index })))(
  'a result that was written $how is $verdict',
  ({ verdict, index }) => {
    expect(replayed[CALLS.length + index]?.verdict).toBe(verdict);
  },
);
