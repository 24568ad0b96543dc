import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareValues, defaultComparison, toleranceFor } from '../../../src/core/compare/index.js';
import { parseJson } from '../../../src/core/json/index.js';
import type { JsonValue } from '../../../src/core/model/json.js';
import type { NanRule } from '../../../src/core/model/tolerance.js';
import type { OutputComparison } from '../../../src/core/model/verdict.js';
import { ValueEncoder } from '../../../src/core/values/index.js';

const tolerance = toleranceFor(defaultComparison(), 'f', 'result', 'float64');

function compare(actual: JsonValue, expected: JsonValue, nan: NanRule = 'equal'): OutputComparison {
  return compareValues('result', actual, expected, tolerance, { nan });
}

function encode(value: unknown): JsonValue {
  return new ValueEncoder().encode(value, 'result');
}

/** Compares what a program would return now with what it returned then. */
function compareReturned(actual: unknown, expected: unknown): OutputComparison {
  return compare(encode(actual), encode(expected));
}

describe('scalars', () => {
  test.each<[unknown, unknown]>([
    [1, 1],
    [0, -0],
    [0.1 + 0.2, 0.3],
    [Number.NaN, Number.NaN],
    [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
    [2 ** 60, 2 ** 60 + 256],
    ['a', 'a'],
    [true, true],
    [null, null],
    [undefined, undefined],
    [10n ** 30n, 10n ** 30n],
    [new Date(5), new Date(5)],
    [Symbol.for('x'), Symbol.for('x')],
  ])('%s matches %s', (actual, expected) => {
    expect(compareReturned(actual, expected)).toMatchObject({ verdict: 'pass', elements: 1, mismatched: 0 });
  });

  test.each<[unknown, unknown, string]>([
    [1001, 1000, '1001, recorded 1000'],
    [0.31, 0.3, '0.31, recorded 0.3'],
    [1, '1', '1, recorded "1"'],
    [1, true, '1, recorded true'],
    [null, undefined, 'null, recorded {"type":"js.undefined"}'],
    [Number.NaN, 1, '{"type":"js.number","value":"NaN"}, recorded 1'],
    [
      Number.POSITIVE_INFINITY,
      Number.MAX_VALUE,
      '{"type":"js.number","value":"Infinity"}, recorded 1.7976931348623157e+308',
    ],
    ['a', 'b', '"a", recorded "b"'],
    [1n, 2n, '{"type":"js.bigint","value":"1"}, recorded {"type":"js.bigint","value":"2"}'],
    [1n, 1, '{"type":"js.bigint","value":"1"}, recorded 1'],
    [new Date(5), new Date(6), '{"type":"js.date","value":5}, recorded {"type":"js.date","value":6}'],
  ])('%s differs from %s', (actual, expected, how) => {
    expect(compareReturned(actual, expected)).toMatchObject({
      kind: 'value',
      verdict: 'mismatch',
      reason: `result differs: ${how}`,
      mismatched: 1,
      actual: encode(actual),
      expected: encode(expected),
      tolerance: { source: 'preset default (float64)' },
    });
  });

  test('NaN differs from NaN under the other rule', () => {
    expect(compare(encode(Number.NaN), Number.NaN, 'unequal').verdict).toBe('mismatch');
  });

  test('integers beyond 2^53 are compared with all digits, as Python records them', () => {
    const large = (digits: string) => parseJson(digits);
    expect(compare(large('9007199254740993'), large('9007199254740993')).verdict).toBe('pass');
    expect(compare(large('9007199254740993'), 9007199254740992).verdict).toBe('mismatch');
    expect(compare(1e20, large('100000000000000000000')).verdict).toBe('pass');
    expect(compare(encode(Number.NaN), large('100000000000000000000')).verdict).toBe('mismatch');
  });
});

const ERRORS_DIFFER =
  'result differs: {"message":"a","name":"TypeError","type":"js.error"}, recorded {"message":"b","name":"TypeError","type":"js.error"}';

describe('structure', () => {
  test('names the first place that differs, and counts the others', () => {
    const expected = { name: 'a', scores: [1, 2, 3.5], 'odd key': { deep: true } };
    const actual = { name: 'a', scores: [1, 2, 4.5], 'odd key': { deep: false } };
    expect(compareReturned(actual, expected)).toMatchObject({
      verdict: 'mismatch',
      reason: 'result.scores[2] differs: 4.5, recorded 3.5; 1 more difference',
      mismatched: 2,
    });
    const { reason } = compareReturned({ ...expected, 'odd key': { deep: 1 } }, expected);
    expect(reason).toBe('result["odd key"].deep differs: 1, recorded true');
  });

  test('the order of a dict, a Map or a Set is no difference', () => {
    expect(compareReturned({ a: 1, b: 2 }, { b: 2, a: 1 }).verdict).toBe('pass');
    const map = (entries: [unknown, unknown][]) => new Map(entries);
    expect(
      compareReturned(
        map([
          ['a', 1],
          [2, 'b'],
        ]),
        map([
          [2, 'b'],
          ['a', 1],
        ]),
      ).verdict,
    ).toBe('pass');
    expect(compareReturned(new Set([1, 'x', Number.NaN]), new Set([Number.NaN, 'x', 1])).verdict).toBe(
      'pass',
    );
    expect(compareReturned([1, 2], [2, 1]).verdict).toBe('mismatch');
  });

  test.each<[unknown, unknown, string]>([
    [{ a: 1 }, { a: 1, b: 2 }, 'result differs: no entry "b", recorded'],
    [{ a: 1, b: 2 }, { a: 1 }, 'result differs: entry "b", not recorded'],
    [[1], [1, 2], 'result differs: 1 items, recorded 2'],
    [[1], { 0: 1 }, 'result differs: "list", recorded "dict"'],
    [{ 1: 'a' }, new Map([[1, 'a']]), 'result differs: "dict", recorded "js.map"'],
    [new Map([[1, 'a']]), new Map([['1', 'a']]), 'result differs: no entry "1", recorded; 1 more difference'],
    [new Set([1]), new Set([2]), 'result differs: no entry "2", recorded; 1 more difference'],
    [new Array(1), [undefined], 'result[0] differs: "js.hole", recorded "js.undefined"'],
    [new TypeError('a'), new TypeError('b'), ERRORS_DIFFER],
    [Object.assign([1], { x: 1 }), Object.assign([1], { x: 2 }), 'result.x differs: 1, recorded 2'],
  ])('%o is not %o', (actual, expected, reason) => {
    expect(compareReturned(actual, expected)).toMatchObject({ verdict: 'mismatch', reason });
  });

  test('lists and tuples differ', () => {
    const of = (type: string) => ({ type, length: 1, items: [1] });
    expect(compare(of('tuple'), of('list')).reason).toBe('result differs: "tuple", recorded "list"');
    expect(compare(of('tuple'), of('tuple')).verdict).toBe('pass');
  });

  test('fields that only say how much was kept are no difference, but what was cut is noted', () => {
    const kept = { type: 'list', length: 1, items: [1], truncated: false };
    expect(compare(kept, { type: 'list', length: 1, items: [1] })).toMatchObject({ verdict: 'pass' });
    const cut = { type: 'list', length: 9, items: [1], truncated: true };
    expect(compare(cut, cut).notes).toEqual(['cut at a bound: only what was kept could be compared']);
  });

  test('a tensor must stand where one was, its contents being compared elsewhere', () => {
    const tensor = { type: 'torch.Tensor', shape: [1], dtype: 'torch.float32', tensor_key: 'result__0' };
    const list = (item: JsonValue) => ({ type: 'list', length: 1, items: [item] });
    expect(compare(list({ ...tensor, shape: [2] }), list(tensor)).verdict).toBe('pass');
    expect(compare(list(1), list(tensor)).verdict).toBe('mismatch');
    expect(compareReturned([new Float32Array(2)], [new Float32Array(3)]).verdict).toBe('pass');
  });

  test('described values must read alike, memory addresses aside', () => {
    const described = (repr: string, type = 'Handle') => ({ type, repr });
    expect(compare(described('<Handle at 0x7f01>'), described('<Handle at 0x55e9>')).verdict).toBe('pass');
    expect(compare(described('<Handle 1>'), described('<Handle 2>')).verdict).toBe('mismatch');
    expect(compare(described('x', 'A'), described('x', 'B')).verdict).toBe('mismatch');
  });

  test('references to recorded objects are compared by class and identity', () => {
    const reference = (self_id: number) => ({ type: 'js.object_ref', self_id, class: 'Model' });
    expect(compare(reference(1), reference(1)).verdict).toBe('pass');
    expect(compare(reference(1), reference(2)).verdict).toBe('mismatch');
  });

  test('sharing and cycles are part of the structure', () => {
    const shared = { a: 1 };
    const cycle: unknown[] = [];
    cycle.push(cycle);
    expect(compareReturned([shared, shared], [shared, { a: 1 }]).verdict).toBe('mismatch');
    expect(compareReturned(cycle, cycle).verdict).toBe('pass');
  });
});

describe('hostile values', () => {
  test('__proto__ is a key as any other', () => {
    const of = (value: number): JsonValue =>
      parseJson(`{"type":"x","items":{"__proto__":${value}},"__proto__":{"a":1}}`);
    expect(compare(of(1), of(1)).verdict).toBe('pass');
    expect(compare(of(1), of(2)).verdict).toBe('mismatch');
  });

  test('the deepest nesting that is read is compared', () => {
    const deep = (leaf: string) =>
      parseJson(`${'{"type":"list","items":['.repeat(999)}${leaf}${']}'.repeat(999)}`);
    expect(compare(deep('1'), deep('1')).verdict).toBe('pass');
    expect(compare(deep('1'), deep('2')).verdict).toBe('mismatch');
    const keys = (leaf: string) =>
      parseJson(`{"type":"js.set","items":[${'['.repeat(1990)}${leaf}${']'.repeat(1990)}]}`);
    expect(compare(keys('1'), keys('1')).verdict).toBe('pass');
    expect(compare(keys('1'), keys('2')).verdict).toBe('mismatch');
  });

  test('many equal keys take linear time', () => {
    const set = { type: 'js.set', items: Array.from({ length: 50_000 }, () => null) };
    const begin = performance.now();
    expect(compare(set, set).verdict).toBe('pass');
    expect(performance.now() - begin).toBeLessThan(5000);
  });

  test('malformed nodes are compared as they stand', () => {
    const nodes: JsonValue[] = [
      { type: 'dict', items: 5 },
      { type: 'dict', items: [5, null] },
      { type: 'list', items: {} },
      { type: 7 },
      { items: [] },
      {},
      [],
      { type: 'js.number', value: 5 },
      { type: 'js.map', entries: 'x' },
    ];
    nodes.forEach((actual, i) => {
      nodes.forEach((expected, j) => {
        expect([i, j, compare(actual, expected).verdict]).toEqual([i, j, i === j ? 'pass' : 'mismatch']);
      });
    });
  });
});

test('any value matches itself, and a changed leaf never does', () => {
  const leaf = fc.oneof(
    fc.string(),
    fc.integer(),
    fc.double(),
    fc.boolean(),
    fc.bigInt(),
    fc.constant(undefined),
  );
  const tree = fc.letrec((tie) => ({
    node: fc.oneof(
      { maxDepth: 4 },
      leaf,
      fc.array(tie('node'), { maxLength: 4 }),
      fc.dictionary(fc.string(), tie('node'), { maxKeys: 4 }),
      fc.array(fc.tuple(leaf, tie('node')), { maxLength: 3 }).map((entries) => new Map(entries)),
    ),
  }));
  fc.assert(
    fc.property(tree.node, (value) => {
      expect(compareReturned(value, value).verdict).toBe('pass');
      expect(compareReturned([value, 1], [value, 2]).verdict).toBe('mismatch');
      expect(compareReturned({ value, more: 1 }, { value }).verdict).toBe('mismatch');
    }),
  );
});
