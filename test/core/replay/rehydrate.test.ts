import { beforeAll, describe, expect, test } from 'vitest';
import {
  builtWorker,
  callOf,
  floats,
  replay,
  temporaryFolder,
  UNDEFINED,
} from '../../support/replay-session.js';
import {
  tensorOf,
  type WrittenCall,
  type WrittenTensor,
  writeSession,
} from '../../support/session-writer.js';

beforeAll(builtWorker);

async function replayed(...calls: WrittenCall[]) {
  const dir = temporaryFolder('rehydrate');
  writeSession(dir, calls);
  return replay(dir);
}

const told = (
  functionName: string,
  inputs: Record<string, WrittenTensor>,
  result: unknown,
  more: object = {},
) =>
  callOf(functionName, {
    module: 'tensors.mjs',
    inputs,
    outputMetadata: { result: result as never },
    ...more,
  });

describe('tensors come back', () => {
  test('with their strides, whatever the file has', async () => {
    const x = { ...tensorOf('float32', [1, 2, 3, 4, 5, 6], [3, 2]), stride: [1, 3], host: 'fir.Tensor' };
    const layout = JSON.stringify({ shape: [3, 2], stride: [1, 3], values: [1, 2, 3, 4, 5, 6] });
    const { verdicts } = await replayed(told('layoutOf', { arg_0: x }, layout));
    expect(verdicts).toEqual(['1 pass']);
  });

  test('without strides where their class has none, and say so', async () => {
    const x = { ...tensorOf('float32', [1, 2]), stride: [2], host: 'Float32Array' };
    const { results } = await replayed(told('sumOf', { arg_0: x }, 3));
    expect(results[0]).toMatchObject({
      verdict: 'pass',
      notes: ['layout not restored: arg_0 is contiguous, as Float32Array has no strides (recorded [2])'],
    });
  });

  test.each([
    'Float32Array',
    'Float64Array',
    'BigInt64Array',
    'Uint8Array',
    'Buffer',
    'DataView',
    'ArrayBuffer',
    'SharedArrayBuffer',
  ])('as %s', async (host) => {
    const dtype =
      ({ Float32Array: 'float32', Float64Array: 'float64', BigInt64Array: 'int64' } as const)[host] ??
      'uint8';
    const x = { ...tensorOf(dtype, [1, 2, 3]), host };
    const { results } = await replayed(told('classOf', { arg_0: x }, host));
    expect(results).toMatchObject([{ verdict: 'pass' }]);
  });

  test('as one object where one was passed twice, and as two where there were two', async () => {
    const one = { ...floats(1, 2), storage: 9 };
    const { verdicts } = await replayed(
      told('isSame', { arg_0: one, arg_1: { ...one, data: { sameAs: 'arg_0' } } }, true),
      told('isSame', { arg_0: floats(1), arg_1: floats(1) }, false),
    );
    expect(verdicts).toEqual(['1 pass', '2 pass']);
  });

  test('sharing memory at their distance', async () => {
    const whole = { ...floats(1, 2, 3, 4), storage: 3, offset: 100 };
    const part = { ...floats(3, 4), storage: 3, offset: 102 };
    const { verdicts } = await replayed(told('isShared', { arg_0: part, arg_1: whole }, 8));
    expect(verdicts).toEqual(['1 pass']);
  });

  test('expanded from the part of the storage that was saved', async () => {
    const x: WrittenTensor = {
      dtype: 'float32',
      shape: [4, 2],
      stride: [0, 1],
      storage: 7,
      host: 'fir.Tensor',
      data: { file: 'inputs.safetensors', key: 'storage_7' },
    };
    const data = tensorOf('float32', [5, 6]).bytes ?? new Uint8Array();
    const layout = JSON.stringify({ shape: [4, 2], stride: [0, 1], values: [5, 6, 5, 6, 5, 6, 5, 6] });
    const call = told('layoutOf', { arg_0: x }, layout, {
      extra: { inputs: [{ key: 'storage_7', dtype: 'U8', shape: [8], data }] },
    });
    expect((await replayed(call)).results).toMatchObject([{ verdict: 'pass' }]);
  });

  test('with memory that two objects share, in a selection too', async () => {
    const writer = (selfId: number, name: string, more: Partial<WrittenCall>) =>
      callOf(`Writer.${name}`, { module: 'tensors.mjs', selfId, outputMetadata: UNDEFINED, ...more });
    const workspace = { ...floats(0, 0), storage: 4 };
    const dir = temporaryFolder('rehydrate');
    writeSession(dir, [
      writer(1, '__init__', { inputs: { arg_0: workspace } }),
      writer(2, '__init__', { inputs: { arg_0: workspace } }),
      writer(1, 'write', { inputMetadata: { arg_0: 5 } }),
      writer(2, 'read', { outputMetadata: { result: 5 } }),
    ]);
    expect((await replay(dir)).verdicts).toEqual(['1 pass', '2 pass', '3 ran', '4 pass']);
    const select = { call: [{ first: 4, last: 4 }], include: [], exclude: [], pid: [] };
    expect((await replay(dir, { select, repeat: 2 })).results).toMatchObject([
      { call: 4, verdict: 'pass', repeats: { runs: 2, differing: [] } },
    ]);
  });

  test('as the memory that an object gave out', async () => {
    const writer = (name: string, more: Partial<WrittenCall>) =>
      callOf(`Writer.${name}`, { module: 'tensors.mjs', selfId: 1, outputMetadata: UNDEFINED, ...more });
    const { verdicts } = await replayed(
      writer('__init__', { inputs: { arg_0: { ...floats(0, 0), storage: 4 } } }),
      writer('give', { outputs: { result: { ...floats(0, 0), storage: 9 } }, outputMetadata: {} }),
      callOf('addInto', {
        inputs: { arg_0: { ...floats(0, 0), storage: 9 }, arg_1: floats(3, 3) },
        mutated: { arg_0: floats(3, 3) },
        outputMetadata: UNDEFINED,
      }),
      writer('read', { outputMetadata: { result: 3 } }),
    );
    expect(verdicts).toEqual(['1 pass', '2 pass', '3 pass', '4 pass']);
  });
});

describe('outputs', () => {
  test('with another layout are compared by value, and the stride is a note', async () => {
    const x = { ...tensorOf('float32', [1, 2, 3, 4], [2, 2]), host: 'fir.Tensor' };
    const y = { ...tensorOf('float32', [1, 3, 2, 4], [2, 2]), host: 'fir.Tensor' };
    const call = (stride: number[]) =>
      callOf('transposed', {
        module: 'tensors.mjs',
        inputs: { arg_0: x },
        outputs: { result: { ...y, stride } },
      });
    const { results } = await replayed(call([1, 2]), call([2, 1]));
    expect(results.map(({ verdict, outputs }) => [verdict, outputs[0]?.notes])).toEqual([
      ['pass', undefined],
      ['pass', ['stride differs: [1,2], recorded [2,1]']],
    ]);
  });

  test('that are views of an argument keep their memory', async () => {
    const call = callOf('view', {
      module: 'tensors.mjs',
      inputs: { arg_0: { ...floats(1, 2), storage: 1 } },
      outputs: { result: { ...floats(2), storage: 1, offset: 1 } },
    });
    const { results } = await replayed(call);
    expect(results[0]).toMatchObject({ verdict: 'pass' });
    expect(results[0]?.notes).toBeUndefined();
  });
});
