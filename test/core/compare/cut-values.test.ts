import { describe, expect, test } from 'vitest';
import { compareValues } from '../../../src/core/compare/index.js';
import type { JsonObject, JsonValue } from '../../../src/core/model/json.js';

const EXACT = { rtol: 0, atol: 0, source: 'test' };

function compare(actual: JsonValue, expected: JsonValue) {
  const { verdict, reason, notes } = compareValues('result', actual, expected, EXACT, { nan: 'equal' });
  return { verdict, reason, isNoted: notes?.some((note) => note.startsWith('cut at a bound')) ?? false };
}

const list = (...items: JsonValue[]): JsonObject => ({
  type: 'list',
  length: items.length,
  items,
  truncated: false,
});
const dict = (...pairs: [string, JsonValue][]): JsonObject => ({
  type: 'dict',
  length: pairs.length,
  items: pairs.map(([key, value]) => ({ key, value })),
  truncated: false,
});
const CUT_LIST = { type: 'list', length: 2, truncated: true };
const CUT_DICT = { type: 'dict', length: 1, truncated: true };

describe('a container that was cut when it was recorded', () => {
  test.each<[string, JsonValue, JsonValue]>([
    ['whose items are all gone', list(1, 2), CUT_LIST],
    ['inside of another one', list(5, list(1, 2)), list(5, CUT_LIST)],
    ['that is a dict', dict(['a', list(1)]), CUT_DICT],
    ['that is cut alike in the replay', CUT_LIST, CUT_LIST],
    ['that kept its first items', list(1, 2, 3), { ...list(1, 2), length: 3, truncated: true }],
    [
      'that kept its first entries',
      dict(['a', 1], ['b', 2]),
      { ...dict(['a', 1]), length: 2, truncated: true },
    ],
  ])('%s is no difference where what was kept is the same', (_, actual, expected) => {
    expect(compare(actual, expected)).toEqual({ verdict: 'pass', reason: undefined, isNoted: true });
  });

  test.each<[string, JsonValue, JsonValue, string]>([
    ['another length', list(1, 2, 3), CUT_LIST, 'result differs: 3 items, recorded 2'],
    ['another type', dict(['a', 1]), { ...CUT_LIST, length: 1 }, 'result differs: "dict", recorded "list"'],
    [
      'another item among those kept',
      list(1, 9, 3),
      { ...list(1, 2), length: 3, truncated: true },
      'result[1] differs: 9, recorded 2',
    ],
    [
      'another value among the entries kept',
      dict(['a', 9], ['b', 2]),
      { ...dict(['a', 1]), length: 2, truncated: true },
      'result.a differs: 9, recorded 1',
    ],
    [
      'something else in its place',
      4,
      CUT_LIST,
      'result differs: 4, recorded {"type":"list","length":2,"truncated":true}',
    ],
  ])('differs by %s', (_, actual, expected, reason) => {
    expect(compare(actual, expected)).toMatchObject({ verdict: 'mismatch', reason });
  });
});
