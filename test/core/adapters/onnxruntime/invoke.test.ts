import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { invokeCall } from '../../../../src/core/adapters/onnxruntime/invoke.js';
import type { CallRecord } from '../../../../src/core/model/call.js';

const exports = createRequire(import.meta.url)('onnxruntime-common') as Record<string, unknown>;
const OrtTensor = exports['Tensor'] as new (type: string, data: unknown, dims: number[]) => object;

/** A session that gives back what it was asked, or refuses as the binding does where Node has a Float16Array. */
class Session {
  readonly outputNames = ['y'];
  readonly #refusal: string | undefined;

  constructor(refusal?: string) {
    this.#refusal = refusal;
  }

  async run(...args: unknown[]): Promise<unknown[]> {
    if (this.#refusal !== undefined) throw new Error(this.#refusal);
    return args;
  }
}

function run(session: Session, args: unknown[], status = 'completed', notes: string[] = []): unknown {
  const record = { function_name: 'InferenceSession.run', execution_status: status } as CallRecord;
  return invokeCall(exports, record, session, args, notes);
}

describe('a run at replay', () => {
  const floats = new OrtTensor('float32', Float32Array.of(1), [1]);
  const halves = new OrtTensor('float16', Uint16Array.of(0x3c00, 0x4000), [2]);
  const refusal = 'not enough space: expected 4, got 0';

  it.each([
    ['feeds alone', [{ x: floats }], []],
    ['names of results', [{ x: floats }, ['y'], { tag: 'a', extra: {} }], [['y'], { tag: 'a' }]],
    ['a place for a result', [{ x: floats }, { y: floats }, { extra: {} }], [{ y: floats }, {}]],
    ['a result that it may allocate', [{ x: floats }, { y: null }], [{ y: null }]],
    ['options in the place of fetches', [{ x: floats }, { y: 1, tag: 'a', extra: {} }], [{ tag: 'a' }]],
    ['arguments of wrong types', [1, 'y', undefined], ['y', undefined]],
  ])('gets %s, and of options what is allowed', async (_what, args, passed) => {
    expect(await run(new Session(), args)).toEqual([args[0], ...passed]);
  });

  it('says where the runtime can not take float16', async () => {
    await expect(run(new Session(refusal), [{ x: halves }])).rejects.toMatchObject({
      code: 'TENSOR_UNSUPPORTED',
      message: `onnxruntime can't take float16 tensors here: ${refusal}`,
    });
  });

  it('leaves other errors as they are, and those that were recorded', async () => {
    await expect(run(new Session('another'), [{ x: halves }])).rejects.toThrow(/^another$/);
    await expect(run(new Session(refusal), [{ x: floats }])).rejects.toThrow(/^not enough space/);
    await expect(run(new Session(refusal), [{ x: halves }], 'failed')).rejects.toThrow(/^not enough space/);
  });
});
