import { statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ProcessResult } from '../support/fir.js';
import {
  type CapturedCall,
  type CapturedSession,
  callNamed,
  captureProgram,
  readCaptured,
  sharedDirectory,
} from './captured.js';

let captured: ProcessResult;
let session: CapturedSession;
const directory = join(sharedDirectory(), 'session');

beforeAll(async () => {
  captured = await captureProgram(directory, ['change-arguments.mjs']);
  session = readCaptured(directory);
});

/** The nth call of a function, from 0. */
function nth(name: string, index: number): CapturedCall {
  const call = session.calls.filter((one) => one.name === name)[index];
  if (call === undefined) throw new Error(`${name} was not called ${index + 1} times`);
  return call;
}

describe('a tensor that a call writes into', () => {
  it('is stored as it was before and as it is after', () => {
    expect(nth('addInto', 0)).toMatchObject({
      fir: { mutated_tensor_keys: ['arg_0'] },
      inputs: { arg_0: [0, 0], arg_1: [1, 2], arg_2: [10, 20] },
      mutated: { arg_0: [11, 22] },
    });
  });

  it('is known to be unchanged where it held the answer before', () => {
    expect(nth('addInto', 1)).toMatchObject({
      fir: { mutated_tensor_keys: [] },
      inputs: { arg_0: [11, 22] },
      mutated: {},
    });
  });

  it('is stored too where the call then fails', () => {
    expect(callNamed(session, 'failsAfterWriting')).toMatchObject({
      status: 'failed',
      fir: { mutated_tensor_keys: ['arg_0'], error: { name: 'Error', message: 'too late' } },
      mutated: { arg_0: [99, 2] },
    });
  });

  it('is seen when it is large and its last byte alone changes', () => {
    const [changed, unchanged] = [nth('touchLast', 0), nth('touchLast', 1)];
    expect(changed.fir.mutated_tensor_keys).toEqual(['arg_0']);
    expect(changed.mutated['arg_0']?.length).toBe((1 << 20) + 3);
    expect(changed.inputs['arg_0']?.at(-1)).toBe(0);
    expect(changed.mutated['arg_0']?.at(-1)).toBe(7);
    expect(changed.mutated['arg_0']?.indexOf(7)).toBe((1 << 20) + 2);
    expect(unchanged.fir.mutated_tensor_keys).toEqual([]);
  });

  it('is stored by its logical values where it is transposed', () => {
    const poked = nth('poke', 0);
    expect(poked.tensor('inputs', 'arg_0')).toMatchObject({ shape: [3, 2], stride: [1, 3], offset: 0 });
    expect(poked.inputs['arg_0']).toEqual([0, 3, 1, 4, 2, 5]);
    expect(poked.mutated['arg_0']).toEqual([0, 3, 1, 4, 2, 50]);
  });

  it('is stored once where it is expanded, and as what all its elements became', () => {
    const poked = nth('poke', 1);
    expect(poked.tensor('inputs', 'arg_0')).toMatchObject({ shape: [1000, 2], stride: [0, 1] });
    expect(poked.inputs['arg_0']?.slice(-2)).toEqual([1, 2]);
    expect(statSync(join(poked.path, 'inputs.safetensors')).size).toBeLessThan(200);
    expect(poked.mutated['arg_0']?.length).toBe(2000);
    expect(poked.mutated['arg_0']?.slice(-2)).toEqual([1, 20]);
  });
});

describe('declared roles', () => {
  it('decide what is saved, what is checked and what is stored afterwards', () => {
    const call = callNamed(session, 'declared');
    expect(call.fir.roles).toEqual({ arg_0: 'in', arg_1: 'out', arg_2: 'inout', arg_3: 'scratch' });
    expect(call.inputs).toEqual({ arg_0: [1], arg_2: [3], arg_3: [4] });
    expect(call.fir.tensors['arg_1']?.data).toBeUndefined();
    expect(new Set(call.fir.mutated_tensor_keys)).toEqual(new Set(['arg_1', 'arg_2']));
    expect(call.mutated['arg_2']).toEqual([4]);
    const written = call.tensor('mutated', 'arg_1').logicalBytes();
    expect(new Float32Array(Uint8Array.from(written).buffer)).toEqual(Float32Array.of(3));
  });
});

describe('an asynchronous call', () => {
  it('owns what had changed when it returned', () => {
    const call = callNamed(session, 'early');
    expect(call.fir).toMatchObject({ async: true, mutated_tensor_keys: ['arg_0'] });
    expect(call.fir.mutated_pending_keys).toBeUndefined();
    expect(call.mutated).toEqual({ arg_0: [10, 0] });
  });

  it.each([
    ['late', [20, 0]],
    ['both', [1, 2]],
    ['waits', [0, 5]],
  ])('marks what changed while it was pending, by whomever (%s)', (name, end) => {
    const call = callNamed(session, name);
    expect(call.fir).toMatchObject({ mutated_tensor_keys: ['arg_0'], mutated_pending_keys: ['arg_0'] });
    expect(call.mutated).toEqual({ arg_0: end });
  });

  it('marks what changed and was changed back', () => {
    const call = callNamed(session, 'restored');
    expect(call.fir).toMatchObject({ mutated_tensor_keys: [], mutated_pending_keys: ['arg_0'] });
    expect(call.mutated).toEqual({ arg_0: [0, 0] });
  });
});

describe('a result', () => {
  it('that is an argument is known as that, and stored as what it became', () => {
    const call = callNamed(session, 'double');
    expect(call.tensor('outputs', 'result').sameAs).toBe('arg_0');
    expect(call).toMatchObject({
      inputs: { arg_0: [1, 2] },
      mutated: { arg_0: [2, 4] },
      outputs: { result: [2, 4] },
    });
    expect(() => statSync(join(call.path, 'outputs.safetensors'))).toThrow('ENOENT');
  });

  it('that is a view of an argument shares its storage, a copy does not', () => {
    const call = callNamed(session, 'parts');
    const key = (index: number): string => `result__value_${index}`;
    const { storage } = call.tensor('inputs', 'arg_0');
    const [tail, whole, again, copy] = [0, 1, 2, 3].map((index) => call.tensor('outputs', key(index)));
    expect(tail).toMatchObject({ storage, offset: 1, shape: [2] });
    expect([whole?.sameAs, again?.sameAs]).toEqual(['arg_0', key(0)]);
    expect(copy?.storage).not.toBe(storage);
    expect(Object.values(call.outputs)).toEqual([
      [2, 3],
      [1, 2, 3],
      [2, 3],
      [2, 3],
    ]);
  });
});

describe('memory that arguments share', () => {
  it('is one storage, and the same tensor is stored once', () => {
    const call = nth('looksOnly', 1);
    const [whole, first, again] = ['arg_0', 'arg_1', 'arg_2'].map((key) => call.tensor('inputs', key));
    expect(first?.storage).toBe(whole?.storage);
    expect(again?.sameAs).toBe('arg_0');
    expect(call.inputs).toEqual({ arg_0: [0, 1, 2, 3], arg_1: [0], arg_2: [0, 1, 2, 3] });
  });

  it('is stored once where expanded views cover it', () => {
    const call = nth('looksOnly', 0);
    expect(call.fir.tensors['arg_0']?.data).toEqual(call.fir.tensors['arg_1']?.data);
    expect(call.inputs['arg_0']?.length).toBe(2000);
    expect(call.inputs['arg_1']?.slice(0, 4)).toEqual([1, 20, 1, 20]);
  });

  it('shows a change under the key that holds it', () => {
    const call = nth('addInto', 2);
    expect(call.fir.mutated_tensor_keys).toEqual(['arg_0']);
    expect(call.mutated).toEqual({ arg_0: [0, 2, 4, 6] });
    expect(call.tensor('inputs', 'arg_2').sameAs).toBe('arg_0');
  });

  it('is saved only as far as a view goes', () => {
    const call = nth('looksOnly', 2);
    expect(call.inputs['arg_0']).toEqual([2, 4]);
    expect(call.tensor('inputs', 'arg_0')).toMatchObject({ offset: 1, storageBytes: 16, byteLength: 8 });
    expect(Buffer.from(call.inputs['arg_1'] ?? []).toString()).toBe('pooled');
    const hosts = ['arg_0', 'arg_1', 'arg_2', 'arg_3'].map((key) => call.tensor('inputs', key).host);
    expect(hosts).toEqual(['Float32Array', 'Buffer', 'DataView', 'ArrayBuffer']);
    expect(call.tensor('inputs', 'arg_3').storage).toBe(call.tensor('inputs', 'arg_0').storage);
  });

  it('may be shared with other threads, empty, or transferred away by the call', () => {
    expect(nth('looksOnly', 3).inputs).toEqual({ arg_0: [0], arg_1: [], arg_2: [-1] });
    expect(callNamed(session, 'transfer')).toMatchObject({
      fir: { mutated_tensor_keys: [], roles: { arg_0: 'scratch' } },
      inputs: { arg_0: [1, 2] },
      outputs: { result: [1, 2] },
    });
  });
});

describe('arguments that are no tensors', () => {
  it('are stored again where the call changed them', () => {
    const { record, fir } = callNamed(session, 'fill');
    expect(record.input_metadata['arg_0']).toMatchObject({ type: 'list', items: [1] });
    expect(fir.mutated_arguments).toMatchObject({
      arg_0: { type: 'list', items: [1, 'pushed'] },
      arg_1: { type: 'dict', items: [{ value: { items: [{ key: 'count', value: 2 }] } }] },
      arg_2: { type: 'js.map', entries: [{ key: 'key', value: 'value' }] },
      arg_3: { type: 'js.set', items: [2] },
    });
  });

  it('are unchanged where nothing changed, also where they share an object', () => {
    expect(nth('looksOnly', 4).fir.mutated_arguments).toBeUndefined();
  });
});

it('the program goes on as it would', () => {
  expect(captured).toMatchObject({ code: 0, stdout: '2\ntoo late\n' });
  expect(session.unreadable).toBe(0);
});
