// Arguments of which the record holds a text: containers of the recorder's first versions, and devices.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonValue } from '../../../../src/core/model/json.js';
import { deviceArguments } from '../../../../src/core/replay/python/device-arguments.js';
import { DeviceMap } from '../../../../src/core/replay/python/device-map.js';
import { PythonWorkerClient } from '../../../support/python-worker.js';

let worker: PythonWorkerClient;
beforeAll(async () => {
  worker = await PythonWorkerClient.start();
});
afterAll(() => worker.close());

/** Class and text of the argument that this node became, or the error. */
async function decoded(node: JsonValue, devices: Record<string, string> = {}): Promise<unknown> {
  const { message, payload } = worker.request({ function: 'describe', input: { arg_0: node } });
  worker.send({ ...message, devices }, payload);
  const { end, error, result } = (await worker.outcome()).outcome;
  if (end !== 'returned') return `${error?.code} ${error?.message}`;
  return (result as { items: { value: unknown }[] }).items[0]?.value;
}

const text = (type: string, value: string) => ({ type, value });

describe('a container that was recorded as a text', () => {
  it.each([
    [text('list', "[1, -2.5, None, ['a', b'\\x00'], (True,), {}]")],
    [text('tuple', "(1, 'it\\'s', [])")],
    [text('tuple', '()')],
    [text('dict', "{'scale': 0.5, (1, 2): {3}, None: [{'é': '\\ud83d'}]}")],
  ])('is made again: %s', async (node) => {
    const printed = node.value.replace("'it\\'s'", '"it\'s"');
    expect(await decoded(node)).toBe(`builtins.${node.type} ${printed}`);
  });

  it('of sizes is one of sizes', async () => {
    expect(await decoded(text('Size', 'torch.Size([2, 3])'))).toBe('torch.Size torch.Size([2, 3])');
  });

  it('is made again inside another one', async () => {
    const node = { type: 'list', length: 1, items: [text('tuple', '(1,)')] };
    expect(await decoded(node)).toBe('builtins.list [(1,)]');
  });

  it.each([
    [
      'of tensors',
      text('list', '[tensor([1., 2.])]'),
      'a list of tensors, which was only described, not recorded',
    ],
    [
      'of tensors, and was cut',
      text('list', `[tensor([${'1., '.repeat(300)}`.slice(0, 1000)),
      'a list of tensors',
    ],
    ['that was cut', text('list', `[${'1, '.repeat(400)}`.slice(0, 1000)), 'a list that was cut short'],
    ['of objects', text('dict', "{'a': <worker_demo.Counter object at 0x7f00>}"), 'a dict, which was only'],
    ['of another type', text('tuple', '[1]'), 'a tuple, which was only described'],
    ['of code', text('list', '[__import__("os").getpid()]'), 'a list, which was only described'],
    ['of itself', text('list', '[[...]]'), 'a list, which was only described'],
    ['of another class', text('Pair', 'Pair(left=1, right=2)'), 'a Pair, which was only described'],
    ['of numbers', { type: 'list', value: 3 }, 'a list, which was only described'],
  ])('is refused where it is one %s', async (_, node, expected) => {
    expect(await decoded(node)).toContain(`NOT_REPLAYABLE arg_0 holds ${expected}`);
  });
});

describe('a device', () => {
  it.each([
    ['the host', new DeviceMap('cpu', []), 'cuda:7', "device(type='cpu')"],
    ['another GPU', new DeviceMap('cuda:1', ['cuda:0', 'cuda:1']), 'cuda:7', "device(type='cuda', index=1)"],
    ['nowhere', new DeviceMap('cpu', []), 'meta', "device(type='meta')"],
  ])('goes with the tensors to %s', async (_, map, repr, expected) => {
    const node = { type: 'device', repr };
    const devices = Object.fromEntries(deviceArguments({ arg_0: node }, map));
    expect(await decoded(node, devices)).toBe(`torch.device ${expected}`);
  });
});
