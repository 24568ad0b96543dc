import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodeToFloat64 } from '../../../src/core/dtype/index.js';
import type { JsonObject } from '../../../src/core/model/json.js';
import type { TensorLayout } from '../../../src/core/model/tensor.js';
import { judgeRedacted } from '../../../src/core/replay/judge-redacted.js';
import { RehydratedInputs } from '../../../src/core/replay/rehydrate.js';
import { StorageRegistry } from '../../../src/core/replay/storage-registry.js';
import { type Dump, openSession } from '../../../src/core/session/index.js';
import type { Tensor } from '../../../src/core/tensor/index.js';
import { type WrittenCall, type WrittenTensor, writeSession } from '../../support/session-writer.js';
import { makeTempDir } from '../../support/temp-dir.js';

/** A tensor whose values were left out, as a record has it. */
function redacted(tensor: Partial<WrittenTensor>, stats: TensorLayout['stats'] = {}): JsonObject {
  const { shape = [4], stride = [1], dtype = 'float32', ...rest } = tensor;
  const layout = { storage: 1, storageBytes: 64, offset: 0, shape, stride, dtype, device: 'cpu', ...rest };
  return { ...layout, data: { redacted: true }, stats: { ...stats } } as unknown as JsonObject;
}

function dumpOf(tensors: Record<string, JsonObject>, call: Partial<WrittenCall> = {}): Dump {
  const dir = join(makeTempDir(), 'session');
  const keys = Object.keys(tensors);
  const record = { tensor_info: { input_tensor_keys: keys, output_tensor_keys: [] } };
  const fir = { redacted: true, tensors: tensors as never };
  writeSession(dir, [{ functionName: 'f', ...call, fir, record }]);
  const session = openSession(dir);
  const [entry] = session.calls;
  if (entry === undefined) throw new Error('no call');
  return session.openDump(entry);
}

function rehydrate(dump: Dump, seed = 0): Map<string, Tensor> {
  const found = new Map<string, Tensor>();
  const inputs = new RehydratedInputs(
    dump,
    new StorageRegistry(),
    (stored, tensor) => {
      if (tensor !== undefined) found.set(stored.key, tensor);
      return tensor;
    },
    { seed },
  );
  for (const key of inputs.keys()) inputs.host(key);
  return found;
}

function valuesOf(tensors: Map<string, Tensor>, key: string): number[] {
  const tensor = tensors.get(key);
  if (tensor === undefined) throw new Error(`no tensor ${key}`);
  return Array.from(decodeToFloat64(tensor.dtype, tensor.contiguousBytes()));
}

describe('tensors whose values were redacted', () => {
  it('have random values within the recorded bounds, strides as they were', () => {
    const tensors = rehydrate(
      dumpOf({ arg_0: redacted({ dtype: 'int32', shape: [5, 3], stride: [1, 5] }, { min: -2, max: 2 }) }),
    );
    expect(tensors.get('arg_0')).toMatchObject({ shape: [5, 3], stride: [1, 5] });
    const values = valuesOf(tensors, 'arg_0');
    expect(values).toHaveLength(15);
    expect(values.every((value) => value >= -2 && value <= 2)).toBe(true);
    expect(new Set(values).size).toBeGreaterThan(2);
  });

  it('have the same values at every run of a seed, other ones of another', () => {
    const dump = dumpOf({ arg_0: redacted({}, { min: 0, max: 1 }) });
    expect(valuesOf(rehydrate(dump, 3), 'arg_0')).toEqual(valuesOf(rehydrate(dump, 3), 'arg_0'));
    expect(valuesOf(rehydrate(dump, 3), 'arg_0')).not.toEqual(valuesOf(rehydrate(dump, 4), 'arg_0'));
  });

  it('share memory as they did; where one lies in another its own bounds hold', () => {
    const tensors = rehydrate(
      dumpOf({
        arg_0: redacted({ dtype: 'int32', shape: [2], offset: 1, storage: 7 }, { min: 5, max: 6 }),
        arg_1: redacted({ dtype: 'int32', shape: [4], storage: 7 }, { min: 0, max: 9 }),
      }),
    );
    const [inner, outer] = [valuesOf(tensors, 'arg_0'), valuesOf(tensors, 'arg_1')];
    expect(outer.slice(1, 3)).toEqual(inner);
    expect(inner.every((value) => value === 5 || value === 6)).toBe(true);
  });

  it('that are interleaved keep each its own bounds', () => {
    const half = { dtype: 'int32' as const, shape: [4], stride: [2], storage: 7 };
    const tensors = rehydrate(
      dumpOf({
        arg_0: redacted({ ...half, offset: 0 }, { min: 1, max: 1 }),
        arg_1: redacted({ ...half, offset: 1 }, { min: 2, max: 2 }),
      }),
    );
    expect([valuesOf(tensors, 'arg_0'), valuesOf(tensors, 'arg_1')]).toEqual([
      [1, 1, 1, 1],
      [2, 2, 2, 2],
    ]);
  });

  it('that are expanded take the memory of what they repeat', () => {
    const shape = [1_000_000, 3];
    const tensors = rehydrate(dumpOf({ arg_0: redacted({ shape, stride: [0, 1] }, { min: 1, max: 2 }) }));
    expect(tensors.get('arg_0')?.storage.bytes.length).toBeLessThan(1000);
  });

  it('one tensor under two keys is one', () => {
    const again = { ...redacted({}), data: { sameAs: 'arg_0' } };
    const dump = dumpOf({ arg_0: redacted({}, { min: 0, max: 1 }), arg_1: again });
    const inputs = new RehydratedInputs(dump, new StorageRegistry(), (_, tensor) => tensor);
    expect(inputs.host('arg_1')).toBe(inputs.host('arg_0'));
  });

  it('are refused where more is claimed than can be believed', () => {
    const huge = dumpOf({ arg_0: redacted({ shape: [2 ** 40] }, { min: 0, max: 1 }) });
    expect(() => rehydrate(huge)).toThrow(expect.objectContaining({ code: 'TOO_LARGE' }));
    const wide = dumpOf({ arg_0: redacted({ shape: [2], stride: [2 ** 40] }, { min: 0, max: 1 }) });
    // By what is believed, before any memory is asked for.
    const claimed = expect.objectContaining({
      code: 'TOO_LARGE',
      message: expect.stringContaining('redacted'),
    });
    expect(() => rehydrate(wide)).toThrow(claimed);
    const texts = dumpOf({
      arg_0: redacted({ dtype: 'string', shape: [2] }, { minBytes: 0, maxBytes: 2 ** 50 }),
    });
    expect(() => rehydrate(texts)).toThrow(expect.objectContaining({ code: 'TOO_LARGE' }));
  });

  it('that many elements share a little memory cost that memory alone', () => {
    // A sliding window: more elements than any memory has over 399,999 places.
    const tensors = rehydrate(
      dumpOf({
        arg_0: redacted({ dtype: 'uint8', shape: [200_000, 200_000], stride: [1, 1] }, { min: 3, max: 4 }),
      }),
    );
    const bytes = tensors.get('arg_0')?.storage.bytes.subarray(0, 399_999) ?? [];
    expect([...new Set(bytes)].sort()).toEqual([3, 4]);
  });

  it('are not made up of a model: it says which one is missing', () => {
    const model = { ...redacted({}), data: { redacted: true, sha256: 'ab'.repeat(32) } };
    expect(() => rehydrate(dumpOf({ arg_0: model }))).toThrow(
      expect.objectContaining({ code: 'NOT_REPLAYABLE', message: expect.stringContaining('abab') }),
    );
  });

  it('have no bounds that make no sense', () => {
    const stats = { min: 5, max: -5, mean: 'x', std: -1, nan: -2 } as unknown as TensorLayout['stats'];
    const dump = dumpOf({ arg_0: redacted({}, stats) });
    expect(dump.tensor('inputs', 'arg_0').stats).toEqual({});
    expect(valuesOf(rehydrate(dump), 'arg_0')).toEqual([0, 0, 0, 0]);
  });
});

describe('the verdict on a call whose inputs were redacted', () => {
  const returned = { kind: 'returned' } as const;
  const threw = { kind: 'threw', name: 'TypeError', message: 'no' } as const;
  const judge = (
    status: 'completed' | 'failed' | 'inputs_saved',
    ending: typeof returned | typeof threw,
    makesObject = false,
  ) => judgeRedacted({ record: dumpOf({}, { status }).record, ending, makesObject });

  it.each([
    ['completed', returned, { verdict: 'unchecked', reason: 'inputs were redacted', ranAsRecorded: true }],
    ['completed', threw, { verdict: 'error', ranAsRecorded: false }],
    ['failed', returned, { verdict: 'unchecked', ranAsRecorded: false }],
    ['failed', threw, { verdict: 'unchecked', ranAsRecorded: true }],
    ['inputs_saved', returned, { verdict: 'unchecked', ranAsRecorded: true }],
    ['inputs_saved', threw, { verdict: 'unchecked', ranAsRecorded: false }],
  ] as const)('%s when recorded, %o now', (status, ending, expected) => {
    const judgement = judge(status, ending);
    expect(judgement).toMatchObject(expected);
    expect(judgement.reproduced).toBeUndefined();
  });

  it('is ran for a call that makes an object', () => {
    expect(judge('completed', returned, true)).toEqual({ verdict: 'ran', ranAsRecorded: true });
  });
});
