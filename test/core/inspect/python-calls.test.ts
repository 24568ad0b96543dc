import { describe, expect, it } from 'vitest';
import { type InspectCall, inspectSession } from '../../../src/core/inspect/index.js';
import type { JsonObject, JsonValue } from '../../../src/core/model/json.js';
import { openSession } from '../../../src/core/session/index.js';
import { fixturePath } from '../../support/flashinfer-fixtures.js';
import { tensorOf, type WrittenCall, writeSession } from '../../support/session-writer.js';
import { makeTempDir } from '../../support/temp-dir.js';

function inspect(calls: WrittenCall[]): InspectCall[] {
  const dir = makeTempDir();
  writeSession(dir, calls, { foreign: true });
  return [...inspectSession(openSession(dir)).calls];
}

function reasonsFor(value: JsonValue): string[] {
  const [call] = inspect([{ functionName: 'f', inputMetadata: { arg_0: 1, kwarg_x: value } }]);
  expect(call?.replayable).toBe(call?.reasons.length === 0);
  return call?.reasons ?? [];
}

function objectAt(type: string, address = 16): JsonObject {
  return { type, repr: `<kernels.${type} object at 0x${address.toString(16)}>` };
}

const list = (...items: JsonValue[]): JsonObject => ({
  type: 'list',
  length: items.length,
  items,
  truncated: false,
});

describe('a call that was recorded in Python', () => {
  it.each<[string, JsonValue]>([
    ['plain values', list(1, 2n ** 60n, Number.NaN, 'text', null, true)],
    ['a dtype', { type: 'torch.dtype', value: 'torch.bfloat16' }],
    ['an enum', { type: 'enum', name: 'Mode.SUM', value: 'sum' }],
    ['a named tuple', { type: 'DemoPair', length: 1, items: [1], truncated: false }],
    ['values that have a text of their own', list({ type: 'slice', repr: 'slice(0, 2, None)' })],
    ['a dict', { type: 'dict', length: 1, items: [{ key: { type: 'device', repr: 'cpu' }, value: 1 }] }],
  ])('can be replayed with %s', (_, value) => {
    expect(reasonsFor(value)).toEqual([]);
  });

  it.each<[string, JsonValue, string]>([
    [
      'a container below the eighth level',
      list({ type: 'list', length: 20, truncated: true }),
      'a list was cut short by the recorder',
    ],
    [
      'a text of 1000 characters',
      { type: 'bytes', repr: `b'${'x'.repeat(998)}` },
      'a bytes was cut short by the recorder',
    ],
    [
      'an object with a text of its own',
      { type: 'Config', repr: 'Config(a=1)' },
      'a Config is only described, not recorded',
    ],
    [
      'what could not be printed',
      { type: 'Config', repr: '<not serializable>' },
      'a Config is only described, not recorded',
    ],
    ['a text that is none', { type: 'Config', repr: 3 }, 'a Config is only described, not recorded'],
    [
      'a list as the first recorders wrote it',
      { type: 'list', value: '[1, tensor([1.])]' },
      'a list of tensors is only described, not recorded',
    ],
    [
      'a tensor without values',
      list({ type: 'torch.Tensor', shape: [1], dtype: 'torch.float32' }),
      'a tensor is only described, not recorded',
    ],
    [
      'an object that nobody constructed',
      list(objectAt('PlanWrapper')),
      "the constructor of its object (PlanWrapper, self_id 16) was not recorded; record it with FLASHINFER_DUMP_INCLUDE='PlanWrapper.*'",
    ],
    [
      'one of a class without that name',
      objectAt('Planner'),
      "the constructor of its object (Planner, self_id 16) was not recorded; record it with FLASHINFER_DUMP_INCLUDE='__init__'",
    ],
  ])('can’t be replayed with %s', (_, value, reason) => {
    expect(reasonsFor(value)).toEqual([`kwarg_x: ${reason}`]);
  });

  it('is given an object that the session constructs, before and in the same process', () => {
    const make = { functionName: '__init__', inputMetadata: { arg_0: objectAt('Planner') } };
    const use = { functionName: 'f', inputMetadata: { arg_0: 1, arg_1: objectAt('Planner') } };
    const calls = inspect([use, make, use, { ...use, pid: 7 }]);
    expect(calls.map((call) => call.replayable)).toEqual([false, true, true, false]);
  });

  it('names the pattern that would have kept its object’s constructor', () => {
    const calls = inspect([
      { functionName: 'XWrapper.run', selfId: 5 },
      { functionName: 'schedule', inputMetadata: { arg_0: objectAt('Planner') } },
    ]);
    expect(calls.map((call) => call.reasons)).toEqual([
      [
        "the constructor of its object (XWrapper, self_id 5) was not recorded; record it with FLASHINFER_DUMP_INCLUDE='XWrapper.*'",
      ],
      [
        "the constructor of its object (Planner, self_id 16) was not recorded; record it with FLASHINFER_DUMP_INCLUDE='__init__,schedule'",
      ],
    ]);
  });

  it('whose graph never ran says that, and not that its files are missing', () => {
    const [call] = inspect([
      {
        functionName: 'f',
        status: 'graph_capture_pending_flush',
        record: {
          tensor_info: { input_tensor_keys: ['arg_0'], output_tensor_keys: [] },
          graph_capture: true,
        },
      },
    ]);
    expect([call?.reasons, call?.graphCapture]).toEqual([
      ['its CUDA graph was never run, so no tensor was saved'],
      true,
    ]);
  });
});

describe('the recorded sessions', () => {
  it.each([
    ['stateless_pt', []],
    ['stateful_pt', []],
    ['multiprocess_pt', []],
    ['same_millisecond', []],
    ['crashed_pt', []],
    ['torn_tail', []],
    ['disk_full', []],
    ['graph_flush', ['topk']],
    ['filtered_pt', Array.from({ length: 4 }, () => 'BatchDemoWrapper.run')],
    ['nested_pt', ['sum_tree', 'sum_tree', 'schedule', 'options']],
  ])('%s: what can’t be replayed is %j', (name, functions) => {
    const { calls } = inspectSession(openSession(fixturePath(name)));
    expect([...calls].filter((call) => !call.replayable).map((call) => call.function)).toEqual(functions);
  });

  it('crashed_pt: names the calls that never ended', () => {
    const inspection = inspectSession(openSession(fixturePath('crashed_pt')));
    const functions = [...inspection.calls].map((call) => call.function);
    expect(inspection.summary().unfinished.map((call) => functions[call - 1])).toEqual([
      'fail',
      'BatchDemoWrapper.run',
      'hang',
    ]);
  });

  it('disk_full: tells of the file that nothing names', () => {
    const calls = [...inspectSession(openSession(fixturePath('disk_full'))).calls];
    expect(calls.map((call) => call.notes)).toEqual([
      undefined,
      undefined,
      [expect.stringMatching(/^outputs\.pt can't be read: .*cut short/)],
    ]);
  });
});

it('versions are those of every process, fir’s and others', () => {
  const dir = makeTempDir();
  writeSession(dir, [{ functionName: 'a', pid: 1 }]);
  const versions = {
    torch: '2.9.0',
    python: '3.12.1 (main, Jan 1 2026) [GCC 14]',
    flashinfer: '<unavailable>',
  };
  for (const [pid, torch] of [
    [2, '2.9.0'],
    [3, '2.10.0'],
  ] as const) {
    const call = { functionName: 'b', pid, inputs: { arg_0: tensorOf('float32', [1]) } };
    writeSession(dir, [{ ...call, record: { versions: { ...versions, torch } } }], { foreign: true });
  }
  expect(inspectSession(openSession(dir)).session).toMatchObject({
    producer: 'mixed',
    versions: { node: '20.19.0', fir: '0.1.0', torch: '2.9.0, 2.10.0', python: '3.12.1' },
  });
});
