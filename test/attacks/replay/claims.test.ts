// Records that claim more than their files hold, or what can't be.
import { beforeAll, describe, expect, test } from 'vitest';
import type { JsonValue } from '../../../src/core/model/json.js';
import {
  builtWorker,
  callOf,
  floats,
  type ModuleCall,
  replay,
  temporaryFolder,
} from '../../support/replay-session.js';
import { type WrittenTensor, writeSession } from '../../support/session-writer.js';

beforeAll(builtWorker);

async function attempt(functionName: string, call: ModuleCall) {
  const dir = temporaryFolder('claims');
  writeSession(dir, [
    callOf(functionName, { module: 'tensors.mjs', outputMetadata: { result: 3 }, ...call }),
    callOf('sumOf', {
      module: 'tensors.mjs',
      inputs: { arg_0: floats(1, 2) },
      outputMetadata: { result: 3 },
    }),
  ]);
  const startedAt = Date.now();
  const { results } = await replay(dir);
  expect(Date.now() - startedAt).toBeLessThan(10_000);
  expect(results[1]?.verdict).toBe('pass');
  const [result] = results;
  if (result === undefined) throw new Error('the call was not told');
  return result;
}

const sum = (x: WrittenTensor, more: ModuleCall = {}) => attempt('sumOf', { inputs: { arg_0: x }, ...more });

describe('sizes that only the record claims', () => {
  test('the size of a storage allocates nothing', async () => {
    const result = await sum({ ...floats(1, 2), storage: 1, storageBytes: 2 ** 50 });
    expect(result.verdict).toBe('pass');
  });

  test('an offset far into the storage allocates what is there', async () => {
    const result = await sum({ ...floats(1, 2), storage: 1, offset: 2 ** 48 });
    expect(result.verdict).toBe('pass');
  });

  test('two views far apart do not make what lies between them', async () => {
    const result = await attempt('sumOf', {
      inputs: {
        arg_0: { ...floats(1, 2), storage: 1 },
        arg_1: { ...floats(3), storage: 1, offset: 2 ** 47 },
      },
    });
    expect(result.verdict).toBe('pass');
  });

  test('a stride over more memory than there is leaves the values contiguous', async () => {
    const x = { ...floats(1, 2), host: 'fir.Tensor', stride: [2 ** 48] };
    const layout = JSON.stringify({ shape: [2], stride: [1], values: [1, 2] });
    const result = await attempt('layoutOf', { inputs: { arg_0: x }, outputMetadata: { result: layout } });
    expect(result).toMatchObject({
      verdict: 'pass',
      notes: [
        expect.stringContaining('layout not restored: arg_0 is contiguous, as its stride [281474976710656]'),
      ],
    });
  });

  test('an argument without contents of any size is refused', async () => {
    const x: WrittenTensor = { dtype: 'float32', shape: [2 ** 48], host: 'Float32Array' };
    const result = await sum(x, { fir: { roles: { arg_0: 'out' } } });
    expect(result).toMatchObject({
      verdict: 'error',
      reason: expect.stringContaining('claims 1125899906842624 bytes'),
    });
  });

  test('a shape that the file does not hold is an error', async () => {
    const data = { file: 'inputs.safetensors', key: 'arg_0' };
    const stored = { key: 'arg_0', dtype: 'F32', shape: [2], data: new Uint8Array(8) };
    const claim = { ...floats(1, 2), shape: [2 ** 40], data };
    const result = await sum(claim, { extra: { inputs: [stored] } });
    expect(result.verdict).toBe('error');
    expect(result.reason).toContain('arg_0');
  });

  test('an expanded result of any size is not made', async () => {
    const y: WrittenTensor = {
      dtype: 'float32',
      shape: [2 ** 40],
      stride: [0],
      storage: 7,
      host: 'fir.Tensor',
      data: { file: 'outputs.safetensors', key: 'storage_7' },
    };
    const result = await attempt('view', {
      inputs: { arg_0: floats(1, 2) },
      outputs: { result: y },
      outputMetadata: {},
      extra: { outputs: [{ key: 'storage_7', dtype: 'U8', shape: [4], data: new Uint8Array(4) }] },
    });
    expect(result).toMatchObject({
      verdict: 'mismatch',
      outputs: [{ reason: expect.stringContaining('shape differs') }, {}],
    });
  });
});

describe('tensors that contradict themselves', () => {
  test('the same tensor in a circle is an error', async () => {
    const result = await attempt('isSame', {
      inputs: {
        arg_0: { ...floats(1), data: { sameAs: 'arg_1' } },
        arg_1: { ...floats(1), data: { sameAs: 'arg_0' } },
      },
    });
    expect(result).toMatchObject({ verdict: 'error', reason: expect.stringContaining('in a circle') });
  });

  test('overlapping copies that disagree are an error that names both', async () => {
    const result = await attempt('isShared', {
      inputs: {
        arg_0: { ...floats(1, 2), storage: 1 },
        arg_1: { ...floats(9, 3), storage: 1, offset: 1 },
      },
    });
    expect(result.verdict).toBe('error');
    expect(result.reason).toContain("'arg_0' and 'arg_1' overlap in memory");
  });

  test('elements of one tensor on one another must agree too', async () => {
    const x = { ...floats(1, 2, 3, 4), shape: [2, 2], stride: [0, 1], storage: 1, host: 'fir.Tensor' };
    const result = await attempt('layoutOf', { inputs: { arg_0: x } });
    expect(result).toMatchObject({
      verdict: 'error',
      reason: expect.stringContaining("'arg_0' and 'arg_0' overlap"),
    });
  });
});

describe('values that would grow or never end', () => {
  const bomb = (): JsonValue => {
    let items: JsonValue[] = [{ type: 'list', length: 0, items: [] }];
    for (let level = 0; level < 30; level++) {
      const key = `arg_0${'__0'.repeat(31 - level)}`;
      items = [
        { type: 'list', length: items.length, items },
        { type: 'js.ref', key },
        { type: 'js.ref', key },
      ];
    }
    return { type: 'list', length: items.length, items };
  };

  test.each([
    ['a reference to a later place', { type: 'js.ref', key: 'arg_9' }],
    ['a list nested without end', nested(900)],
    ['a hole of any length', { type: 'list', length: 1, items: [{ type: 'js.hole', count: 2 ** 40 }] }],
    ['an unknown object', { type: 'js.object_ref', self_id: 5, class: 'Writer' }],
    ['an object that is no name', { type: 'js.object_ref', self_id: 'x', class: 7 }],
  ])('%s', async (_, value) => {
    const result = await attempt('first', { inputMetadata: { arg_0: value } });
    expect(['error', 'skipped']).toContain(result.verdict);
  });

  test('references to references are one object each', async () => {
    const result = await attempt('first', {
      inputMetadata: { arg_0: bomb() },
      outputMetadata: { result: bomb() },
    });
    expect(['error', 'skipped', 'mismatch', 'pass']).toContain(result.verdict);
  });

  test('an argument position that is not there makes no array of that length', async () => {
    const result = await attempt('first', { inputMetadata: { arg_4294967290: 1 } });
    expect(result).toMatchObject({
      verdict: 'error',
      reason: expect.stringContaining('the record has no arg_0'),
    });
  });

  test('a key that is __proto__ changes no prototype', async () => {
    const entry: JsonValue = {
      type: 'dict',
      length: 1,
      items: [
        { key: '__proto__', value: { type: 'dict', length: 1, items: [{ key: 'polluted', value: 1 }] } },
      ],
    };
    const result = await attempt('first', {
      inputMetadata: { arg_0: 3, kwarg___proto__: entry },
      fir: { mutated_tensor_keys: [] },
    });
    expect(result.verdict).toBe('pass');
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });
});

function nested(depth: number): JsonValue {
  let value: JsonValue = { type: 'list', length: 0, items: [] };
  for (let level = 0; level < depth; level++) value = { type: 'list', length: 1, items: [value] };
  return value;
}
