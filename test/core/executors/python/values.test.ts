import { afterAll, beforeAll, expect, it } from 'vitest';
import { type CallSpec, floats, type Outcome, PythonWorkerClient } from '../../../support/python-worker.js';

let worker: PythonWorkerClient;
beforeAll(async () => {
  worker = await PythonWorkerClient.start();
});
afterAll(() => worker.close());

async function run(spec: CallSpec): Promise<Outcome> {
  return (await worker.run(spec)).outcome;
}

/** Class and text of the argument that this node became. */
async function decoded(node: unknown, more: Partial<CallSpec> = {}): Promise<unknown> {
  const input = typeof node === 'string' ? `{"arg_0": ${node}}` : { arg_0: node };
  const { end, error, result } = await run({ function: 'describe', input, ...more });
  return end === 'returned' ? firstValue(result) : `${error?.code} ${error?.message}`;
}

function firstValue(result: unknown): unknown {
  const { items } = result as { items: { value: unknown }[] };
  return items[0]?.value;
}

const described = (type: string, repr: string) => ({ type, repr });

it.each([
  ['1', 'builtins.int 1'],
  ['1.0', 'builtins.float 1.0'],
  ['-0.0', 'builtins.float -0.0'],
  ['NaN', 'builtins.float nan'],
  ['-Infinity', 'builtins.float -inf'],
  ['18446744073709551617', 'builtins.int 18446744073709551617'],
  ['true', 'builtins.bool True'],
  ['null', 'builtins.NoneType None'],
  ['"NaN, Infinity"', "builtins.str 'NaN, Infinity'"],
  ['"\\ud83d\\ude00"', "builtins.str '😀'"],
])('gives the scalar %s back as Python wrote it', async (text, expected) => {
  expect(await decoded(text)).toBe(expected);
});

it.each([
  ['torch.dtype', { type: 'torch.dtype', value: 'torch.bfloat16' }, 'torch.dtype torch.bfloat16'],
  ['device', described('device', 'cuda:3'), "torch.device device(type='cuda', index=3)"],
  ['layout', described('layout', 'torch.sparse_coo'), 'torch.layout torch.sparse_coo'],
  [
    'memory format',
    described('memory_format', 'torch.channels_last'),
    'torch.memory_format torch.channels_last',
  ],
  ['Size', { type: 'Size', length: 2, items: [2, 3] }, 'torch.Size torch.Size([2, 3])'],
  ['Size as a text', described('Size', 'torch.Size([2, 3])'), 'torch.Size torch.Size([2, 3])'],
  ['complex', described('complex', '(1+2j)'), 'builtins.complex (1+2j)'],
  ['complex of nan', described('complex', '(nan+infj)'), 'builtins.complex (nan+infj)'],
  ['bytes', described('bytes', "b'raw\\x00'"), "builtins.bytes b'raw\\x00'"],
  ['bytearray', described('bytearray', "bytearray(b'a')"), "builtins.bytearray bytearray(b'a')"],
  ['range', described('range', 'range(0, -3, -1)'), 'builtins.range range(0, -3, -1)'],
  ['slice', described('slice', "slice(1, None, 'x')"), "builtins.slice slice(1, None, 'x')"],
  ['set', described('set', '{1}'), 'builtins.set {1}'],
  ['empty set', described('set', 'set()'), 'builtins.set set()'],
  ['frozenset', described('frozenset', 'frozenset({1})'), 'builtins.frozenset frozenset({1})'],
  ['Ellipsis', described('ellipsis', 'Ellipsis'), 'builtins.ellipsis Ellipsis'],
  ['js.undefined', { type: 'js.undefined' }, 'builtins.NoneType None'],
  ['js.number', { type: 'js.number', value: '-0' }, 'builtins.float -0.0'],
  ['js.bigint', { type: 'js.bigint', value: '123456789012345678901' }, 'builtins.int 123456789012345678901'],
  ['list', { type: 'list', length: 2, items: [1, 'a'], truncated: false }, "builtins.list [1, 'a']"],
  [
    'tuple',
    { type: 'tuple', length: 1, items: [{ type: 'list', length: 0, items: [] }] },
    'builtins.tuple ([],)',
  ],
  [
    'dict with a tuple as key',
    { type: 'dict', length: 1, items: [{ key: { type: 'tuple', length: 2, items: [1, 2] }, value: null }] },
    'builtins.dict {(1, 2): None}',
  ],
  ['named tuple', { type: 'Pair', length: 2, items: [1, 2] }, 'worker_demo.Pair Pair(left=1, right=2)'],
  ['enum', { type: 'enum', name: 'Mode.FAST', value: 'fast' }, "worker_demo.Mode <Mode.FAST: 'fast'>"],
  [
    'enum of a dtype',
    { type: 'enum', name: 'Mode.EXACT', value: null },
    'worker_demo.Mode <Mode.EXACT: torch.float32>',
  ],
  ['flag', { type: 'enum', name: 'Rights.READ', value: 1 }, 'worker_demo.Rights <Rights.READ: 1>'],
])('rebuilds a %s', async (_, node, expected) => {
  expect(await decoded(node)).toBe(expected);
});

it.each([
  ['float32', '1.5', 1.5],
  ['int64', '-3', -3],
  ['bool_', 'True', true],
])('rebuilds a scalar of numpy: %s', async (type, repr, expected) => {
  const { end, result, notes } = await run({
    function: 'give_first',
    module: 'worker_plain',
    input: { arg_0: described(type, repr) },
  });
  expect(end).toBe('returned');
  const hasNumpy = notes.length === 0;
  if (hasNumpy) expect(result).toMatchObject({ repr: expect.stringContaining(repr) });
  else expect(result).toBe(expected);
});

it('finds an enum by the name that its module or a default has for it', async () => {
  const outcome = await run({
    function: 'paint',
    input: { arg_0: { type: 'enum', name: 'Colour.RED', value: 1 } },
  });
  expect(firstValue(outcome.result)).toBe('worker_enums.Colour <Colour.RED: 1>');
  expect(outcome.notes).toEqual([]);
});

it('says where an enum has another value than the recorded one', async () => {
  const outcome = await run({
    function: 'paint',
    input: { arg_0: { type: 'enum', name: 'Colour.BLUE', value: 'blue' } },
  });
  expect(outcome.end).toBe('returned');
  expect(outcome.notes).toEqual(["arg_0: Colour.BLUE is 'changed', recorded 'blue'"]);
});

it('passes keyword arguments by their real names', async () => {
  const { result } = await run({
    function: 'describe',
    input: { kwarg_kwarg_like: 1, kwarg_w__scale: 2 },
    named: [
      ['kwarg_kwarg_like', 'kwarg_like'],
      ['kwarg_w__scale', 'w__scale'],
    ],
  });
  expect((result as { items: { key: string }[] }).items.map(({ key }) => key)).toEqual([
    'kwarg_like',
    'w__scale',
  ]);
});

it('puts tensors into containers, as keys too', async () => {
  const [tensor, bytes] = floats([1, 2]);
  const node = { type: 'torch.Tensor', shape: [2], dtype: 'torch.float32', tensor_key: 'arg_0__key_0' };
  const result = await decoded(
    { type: 'dict', length: 1, items: [{ key: node, value: 'v' }] },
    { tensors: { arg_0__key_0: tensor }, storages: [bytes], positional: ['arg_0'] },
  );
  expect(result).toBe("builtins.dict {tensor([1., 2.]): 'v'}");
});

it.each([
  [
    'a cut list',
    { type: 'list', length: 99, truncated: true },
    'NOT_REPLAYABLE arg_0 holds a list that was cut short',
  ],
  [
    'a list that lost items',
    { type: 'list', length: 3, items: [1] },
    'NOT_REPLAYABLE arg_0 holds a list that was cut',
  ],
  ['a cut text', described('bytes', `b'${'x'.repeat(998)}`), 'NOT_REPLAYABLE arg_0 holds a bytes'],
  [
    'an array',
    described('ndarray', '[1 2 3]'),
    'NOT_REPLAYABLE arg_0 holds a ndarray, which was only described',
  ],
  [
    'code in place of a literal',
    described('set', '{__import__("os").getpid()}'),
    'NOT_REPLAYABLE arg_0 holds a set',
  ],
  ['a dict in place of a set', described('set', '{1: 2}'), 'NOT_REPLAYABLE arg_0 holds a set'],
  ['a foreign device', described('device', 'cuda:0; import os'), 'NOT_REPLAYABLE arg_0 holds a device'],
  [
    'brackets without end',
    described('slice', `slice(${'('.repeat(900)})`),
    'NOT_REPLAYABLE arg_0 holds a slice',
  ],
  [
    'a range of too many numbers',
    described('range', 'range(1, 2, 3, 4)'),
    'NOT_REPLAYABLE arg_0 holds a range',
  ],
  ['a range that does not step', described('range', 'range(1, 2, 0)'), 'NOT_REPLAYABLE arg_0 holds a range'],
  ['an unknown enum', { type: 'enum', name: 'Gone.X', value: 1 }, 'NOT_REPLAYABLE arg_0 holds an enum Gone'],
  ['a lost member', { type: 'enum', name: 'Mode.GONE', value: 1 }, 'NOT_REPLAYABLE arg_0 holds Mode.GONE'],
  [
    'an enum of a module that is not allowed',
    { type: 'enum', name: 'Signals.SIGINT', value: 2 },
    'NOT_REPLAYABLE arg_0',
  ],
  [
    'a class that is no named tuple',
    { type: 'Counter', length: 1, items: [1] },
    'NOT_REPLAYABLE arg_0 holds a Counter',
  ],
  [
    'a named tuple of other length',
    { type: 'Pair', length: 1, items: [1] },
    'NOT_REPLAYABLE arg_0 holds a Pair',
  ],
  ['an unknown dtype', { type: 'torch.dtype', value: 'torch.load' }, 'NOT_REPLAYABLE arg_0 holds torch.load'],
  ['a tensor without values', { type: 'torch.Tensor', shape: [1] }, 'NOT_REPLAYABLE arg_0 holds a tensor'],
  [
    'an object that no call made',
    described('Counter', '<worker_demo.Counter object at 0x7f00>'),
    'NOT_REPLAYABLE arg_0 holds a Counter',
  ],
  ['a function', described('function', '<function f at 0x7f00>'), 'NOT_REPLAYABLE arg_0 holds a function'],
  ['a node without a type', { value: 1 }, 'VALUE_INVALID arg_0 holds a value without a type'],
  ['items that are none', { type: 'list', items: 3 }, 'VALUE_INVALID arg_0 holds a list'],
  ['a dict that is none', { type: 'dict', items: [1] }, 'VALUE_INVALID arg_0 holds a malformed dict'],
  [
    'a list as a key',
    { type: 'dict', items: [{ key: { type: 'list', items: [] }, value: 1 }] },
    'VALUE_INVALID arg_0',
  ],
  ['a date of JavaScript', { type: 'js.date', value: 0 }, 'NOT_REPLAYABLE arg_0 holds a js.date'],
])('refuses %s, and names the argument', async (_, node, expected) => {
  expect(await decoded(node)).toContain(expected);
});

it('refuses arguments that are nested without end, and goes on', async () => {
  const node = `${'{"type":"list","items":['.repeat(20_000)}${']}'.repeat(20_000)}`;
  const { error } = await run({ function: 'describe', input: `{"arg_0": ${node}}`, positional: ['arg_0'] });
  expect(error?.code).toBe('VALUE_INVALID');
  expect(await decoded(1)).toBe('builtins.int 1');
});

it('refuses a record that is no JSON', async () => {
  expect(await decoded('}{', { positional: ['arg_0'] }).catch(String)).toContain(
    'VALUE_INVALID the record is no JSON',
  );
});

it('refuses an argument that nobody saved', async () => {
  const { error } = await run({ function: 'describe', positional: ['arg_0'] });
  expect(error).toMatchObject({ code: 'NOT_REPLAYABLE', message: 'arg_0 was not saved' });
});
