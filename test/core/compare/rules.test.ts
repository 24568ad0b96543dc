import { describe, expect, test } from 'vitest';
import { parseAs, parseIgnore, parseTolerance } from '../../../src/core/compare/index.js';
import { FirError } from '../../../src/core/errors.js';

function errorOf(parse: () => unknown): FirError {
  try {
    parse();
  } catch (error) {
    if (error instanceof FirError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('parseTolerance', () => {
  test.each([
    ['mm=1e-3,1e-5', { pattern: 'mm', rtol: 1e-3, atol: 1e-5 }],
    ['mm*:result=0,0', { pattern: 'mm*', key: 'result', rtol: 0, atol: 0 }],
    ['A.run:result_*=.5, 1.,0.99', { pattern: 'A.run', key: 'result_*', rtol: 0.5, atol: 1, ratio: 0.99 }],
    ['ns::gemm=1,2', { pattern: 'ns::gemm', rtol: 1, atol: 2 }],
    ['ns::gemm:arg_0=1,2,1', { pattern: 'ns::gemm', key: 'arg_0', rtol: 1, atol: 2, ratio: 1 }],
    ['op==:result=1,2', { pattern: 'op==', key: 'result', rtol: 1, atol: 2 }],
  ])('%s', (text, rule) => {
    expect(parseTolerance(text)).toEqual(rule);
  });

  test.each([
    ['mm', "has no '='"],
    ['=1,2', 'has an empty pattern or key'],
    ['mm:=1,2', 'has an empty pattern or key'],
    [':k=1,2', 'has an empty pattern or key'],
    ['mm=1', "has 1 number after '='"],
    ['mm=1,2,1,4', "has 4 numbers after '='"],
    ['mm=-1,2', "has rtol '-1'"],
    ['mm=1,inf', "has atol 'inf'"],
    ['mm=1,1e999', "has atol '1e999'"],
    ['mm=1,', "has atol ''"],
    ['mm=1,0x10', "has atol '0x10'"],
    ['mm=1,2,0', 'has ratio 0; it must be above 0'],
    ['mm=1,2,1.5', 'has ratio 1.5; it must be above 0'],
  ])('%s is a usage error that says what was found', (text, problem) => {
    const error = errorOf(() => parseTolerance(text));
    expect(error.code).toBe('USAGE');
    expect(error.message).toContain(`--tolerance '${text}' ${problem}`);
    expect(error.hint).toContain("--tolerance 'mm_*:result=1e-2,1e-3,0.99'");
  });
});

test('parseIgnore takes a pattern and a key', () => {
  expect(parseIgnore('att*:result_1')).toEqual({ pattern: 'att*', key: 'result_1' });
  const error = errorOf(() => parseIgnore('att*'));
  expect([error.code, error.message]).toEqual(['USAGE', "--ignore 'att*' has no ':key'"]);
  expect(errorOf(() => parseIgnore('att*:')).message).toContain('empty');
});

test('parseAs takes a pattern, a key and a dtype, with or without the torch prefix', () => {
  const rule = { pattern: 'q*', key: 'result', dtype: 'float4_e2m1fn_x2' };
  expect(parseAs('q*:result=float4_e2m1fn_x2')).toEqual(rule);
  expect(parseAs('q*:result=torch.float4_e2m1fn_x2')).toEqual(rule);
  expect(errorOf(() => parseAs('q*:result=float5')).message).toContain("'float5', which is no dtype");
  expect(errorOf(() => parseAs('q*=uint8')).message).toContain("has no ':key'");
  expect(errorOf(() => parseAs('q*:result')).message).toContain("has no '='");
});
