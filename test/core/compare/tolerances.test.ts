import { describe, expect, test } from 'vitest';
import {
  type ComparisonOptions,
  defaultComparison,
  isIgnored,
  parseIgnore,
  parseTolerance,
  toleranceFor,
} from '../../../src/core/compare/index.js';
import { DTYPES } from '../../../src/core/dtype/index.js';
import type { DtypeName } from '../../../src/core/model/dtype.js';

const EXACT_DTYPES = [...DTYPES.keys()].filter((name) => /int|bool|string|float8|float4/.test(name));

function options(changes: Partial<ComparisonOptions> = {}): ComparisonOptions {
  return { ...defaultComparison(), ...changes };
}

describe('presets', () => {
  test.each<[DtypeName, number, number]>([
    ['float64', 1e-7, 1e-7],
    ['float32', 1.3e-6, 1e-5],
    ['float16', 1e-3, 1e-5],
    ['bfloat16', 1.6e-2, 1e-5],
    ['complex64', 1.3e-6, 1e-5],
    ['complex128', 1e-7, 1e-7],
  ])('%s', (dtype, rtol, atol) => {
    const of = (preset: ComparisonOptions['preset']) =>
      toleranceFor(options({ preset }), 'f', 'result', dtype);
    expect(of('default')).toEqual({ rtol, atol, source: `preset default (${dtype})` });
    expect(of('flashinfer')).toEqual({ rtol: 1e-3, atol: 1e-3, source: `preset flashinfer (${dtype})` });
    expect(of('exact')).toEqual({ rtol: 0, atol: 0, source: `preset exact (${dtype})` });
  });

  test.each(EXACT_DTYPES)('%s is exact in every preset', (dtype) => {
    for (const preset of ['default', 'flashinfer', 'exact'] as const) {
      const tolerance = toleranceFor(options({ preset }), 'f', 'result', dtype);
      expect(tolerance).toEqual({ rtol: 0, atol: 0, source: `exact (${dtype})` });
    }
  });
});

describe('rules', () => {
  const rules = ['*=1e-2,1e-2', 'mm*=1e-3,0', 'mm*:arg_0=5e-1,0,0.9'].map(parseTolerance);

  test('the last one that matches wins, and the source names it', () => {
    const of = (name: string, key: string) => toleranceFor(options({ rules }), name, key, 'float32');
    expect(of('other', 'result')).toEqual({ rtol: 1e-2, atol: 1e-2, source: "--tolerance '*'" });
    expect(of('mm_fp8', 'result')).toEqual({ rtol: 1e-3, atol: 0, source: "--tolerance 'mm*'" });
    expect(of('mm_fp8', 'arg_0')).toEqual({
      rtol: 0.5,
      atol: 0,
      ratio: 0.9,
      source: "--tolerance 'mm*:arg_0'",
    });
    expect(toleranceFor(options({ rules: rules.toReversed() }), 'mm', 'arg_0', 'float32').rtol).toBe(1e-2);
  });

  test('integers, bools and strings stay exact; a ratio holds for them too', () => {
    for (const dtype of ['int32', 'uint64', 'int4', 'bool', 'string'] as const) {
      expect(toleranceFor(options({ rules }), 'f', 'result', dtype)).toEqual({
        rtol: 0,
        atol: 0,
        source: `exact (${dtype})`,
      });
    }
    expect(toleranceFor(options({ rules }), 'mm', 'arg_0', 'int32')).toEqual({
      rtol: 0,
      atol: 0,
      ratio: 0.9,
      source: "exact (int32), ratio of --tolerance 'mm*:arg_0'",
    });
  });

  test('float8 and float4 are loosened by a rule or by steps', () => {
    const of = (changes: Partial<ComparisonOptions>) =>
      toleranceFor(options(changes), 'f', 'r', 'float8_e4m3fn');
    expect(of({ ulp: 2 })).toEqual({ rtol: 0, atol: 0, source: 'within --ulp 2' });
    expect(of({ ulp: 0 }).source).toBe('exact (float8_e4m3fn)');
    expect(of({ rules, ulp: 1 })).toEqual({
      rtol: 1e-2,
      atol: 1e-2,
      source: "--tolerance '*', or within --ulp 1",
    });
    expect(toleranceFor(options({ ulp: 2 }), 'f', 'r', 'float32').source).toBe('preset default (float32)');
  });
});

test('an ignored output is one that any rule names', () => {
  const ignore = ['mm*:result_1', '*:arg_*'].map(parseIgnore);
  expect(isIgnored(options({ ignore }), 'mm', 'result_1')).toBe(true);
  expect(isIgnored(options({ ignore }), 'f', 'arg_2')).toBe(true);
  expect(isIgnored(options({ ignore }), 'f', 'result_1')).toBe(false);
});
