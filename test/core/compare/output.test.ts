import { describe, expect, test } from 'vitest';
import {
  compareOutput,
  defaultComparison,
  parseAs,
  parseIgnore,
  parseTolerance,
} from '../../../src/core/compare/index.js';
import { Tensor } from '../../../src/core/tensor/index.js';

const base = defaultComparison();

function bytes(...values: number[]): Tensor {
  return Tensor.from(Uint8Array.from(values));
}

test('an ignored output is not compared', () => {
  const options = { ...base, ignore: [parseIgnore('f:arg_*')] };
  expect(compareOutput('f', 'arg_0', bytes(1), bytes(2), options)).toBeUndefined();
  expect(compareOutput('f', 'result', bytes(1), bytes(2), options)?.verdict).toBe('mismatch');
});

test('the tolerance is that of the function, the key and the dtype', () => {
  const options = { ...base, rules: [parseTolerance('g*:result=1,0')] };
  const [actual, expected] = [Tensor.from([2], 'float32'), Tensor.from([1], 'float32')];
  expect(compareOutput('gemm', 'result', actual, expected, options)?.verdict).toBe('pass');
  expect(compareOutput('f', 'result', actual, expected, options)?.verdict).toBe('mismatch');
});

describe('bytes that are said to be of another dtype', () => {
  const as = (dtype: string, changes = {}) => ({ ...base, as: [parseAs(`f:result=${dtype}`)], ...changes });

  test('are compared as that', () => {
    // Low half first: 0.5 and 1 against 1 and 1.
    const comparison = compareOutput(
      'f',
      'result',
      bytes(0x21),
      bytes(0x22),
      as('float4_e2m1fn_x2', { ulp: 1 }),
    );
    expect(comparison).toMatchObject({
      verdict: 'pass',
      dtype: 'float4_e2m1fn_x2',
      shape: [1],
      elements: 2,
      maxAbs: { value: 0.5, index: [0], actual: 0.5, expected: 1 },
      tolerance: { source: 'within --ulp 1' },
    });
    expect(compareOutput('g', 'result', bytes(0x21), bytes(0x22), as('float4_e2m1fn_x2'))?.dtype).toBe(
      'uint8',
    );
  });

  test('keep their layout where the size is the same, and take it in the last dimension where not', () => {
    const [actual, expected] = [bytes(1, 2, 3, 4, 5, 6), bytes(1, 2, 3, 4, 5, 7)].map((tensor) =>
      tensor.reshape([2, 3]).t(),
    );
    const same = compareOutput('f', 'result', actual as Tensor, expected as Tensor, as('int8'));
    expect(same).toMatchObject({ dtype: 'int8', shape: [3, 2], maxAbs: { index: [2, 1] } });
    const wider = compareOutput('f', 'result', actual as Tensor, expected as Tensor, as('uint16'));
    expect(wider).toMatchObject({ dtype: 'uint16', shape: [3, 1], maxAbs: { index: [2, 0], value: 256 } });
    const narrower = compareOutput('f', 'result', bytes(0x10), bytes(0x20), as('uint4'));
    expect(narrower).toMatchObject({ shape: [2], elements: 2, maxAbs: { index: [1], value: 1 } });
  });

  test('must make whole elements', () => {
    const compare = (tensor: Tensor, dtype: string) => () =>
      compareOutput('f', 'result', tensor, tensor, as(dtype));
    expect(compare(bytes(1, 2, 3), 'float16')).toThrow(/uint8\[3\] tensor can't be taken as float16/);
    expect(compare(bytes(1).reshape([]), 'int4')).toThrow(/can't be taken as int4/);
    expect(compare(bytes(1), 'string')).toThrow(/can't be taken as string/);
  });

  test('are a mismatch where the dtype differs from the recording in the first place', () => {
    const comparison = compareOutput('f', 'result', Tensor.from([1], 'int8'), bytes(1), as('float8_e5m2'));
    expect(comparison).toMatchObject({ verdict: 'mismatch', reason: 'dtype differs: int8, recorded uint8' });
  });
});
