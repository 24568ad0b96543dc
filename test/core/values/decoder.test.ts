import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FirError } from '../../../src/core/errors.js';
import type { JsonObject, JsonValue } from '../../../src/core/model/json.js';
import { type DecodeContext, decodeValue, ValueDecoder } from '../../../src/core/values/index.js';

const context: DecodeContext = { tensor: (key) => `tensor ${key}` };

function errorOf(encoded: JsonValue, with_: DecodeContext = context): string {
  try {
    decodeValue(encoded, with_);
  } catch (error) {
    if (error instanceof FirError) return `${error.code}: ${error.message}`;
    throw error;
  }
  throw new Error('was decoded');
}

const list = (...items: JsonValue[]): JsonObject => ({
  type: 'list',
  length: items.length,
  items,
  truncated: false,
});
const dict = (...items: [key: JsonValue, value: JsonValue][]): JsonObject => ({
  type: 'dict',
  length: items.length,
  items: items.map(([key, value]) => ({ key, value })),
  truncated: false,
});

test.each<[name: string, encoded: JsonValue, value: unknown]>([
  ['a scalar', 2.5, 2.5],
  ['an integer of 64 bits', 18446744073709551615n, 18446744073709551615n],
  ['a bare infinity', Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
  ['a tensor', { type: 'torch.Tensor', shape: [2], tensor_key: 'arg_0__1' }, 'tensor arg_0__1'],
  ['a tuple', { type: 'tuple', length: 2, items: [1, list()], truncated: false }, [1, []]],
  ['a torch.Size', { type: 'Size', length: 2, items: [2, 3], truncated: false }, [2, 3]],
  ['a dtype', { type: 'torch.dtype', value: 'torch.bfloat16' }, 'bfloat16'],
  ['an enum', { type: 'enum', name: 'DemoMode.SUM', value: 'sum' }, 'sum'],
  [
    'an enum of a dtype',
    { type: 'enum', name: 'E.X', value: { type: 'torch.dtype', value: 'torch.int8' } },
    'int8',
  ],
  ['a dict with numbers as keys', dict(['k', true], [7, list(1)]), { k: true, 7: [1] }],
])('%s of a FlashInfer record becomes a value', (_, encoded, value) => {
  expect(decodeValue(encoded, context)).toStrictEqual(value);
});

test.each<[message: string, encoded: JsonValue]>([
  [
    "NOT_REPLAYABLE: arg_0 is a complex ((1+2j)), which can't be built again",
    { type: 'complex', repr: '(1+2j)' },
  ],
  [
    "NOT_REPLAYABLE: arg_0__0 is a Function ([Function: f]), which can't be built again",
    list({ type: 'Function', repr: '[Function: f]' }),
  ],
  ["NOT_REPLAYABLE: arg_0 is a list (x), which can't be built again", { type: 'list', repr: 'x' }],
  [
    "NOT_REPLAYABLE: arg_0 is a DemoPair, which can't be built again",
    { type: 'DemoPair', length: 0, items: [], truncated: false },
  ],
  [
    'NOT_REPLAYABLE: arg_0 was cut when it was recorded: it was too large or too deep',
    { type: 'list', length: 1, truncated: true },
  ],
  [
    'NOT_REPLAYABLE: arg_0 is the recorded Session 3, which is not at hand here',
    { type: 'js.object_ref', self_id: 3, class: 'Session' },
  ],
  ["NOT_REPLAYABLE: arg_0__value_0 has a key that can't be a property name", dict([list(1), 1])],
  ['VALUE_INVALID: arg_0 is a bare list', [1]],
  ['VALUE_INVALID: arg_0 has no type', {}],
  ['VALUE_INVALID: arg_0 has no type', { type: 1 }],
  ['VALUE_INVALID: arg_0 has no items', { type: 'list' }],
  ['VALUE_INVALID: arg_0 has no entries', { type: 'js.map', items: [] }],
  ['VALUE_INVALID: arg_0 has no tensor_key', { type: 'torch.Tensor' }],
  [
    'VALUE_INVALID: arg_0__value_0 has an item without key and value',
    { type: 'dict', items: [{ key: 'a' }] },
  ],
  ['VALUE_INVALID: arg_0 is a malformed js.number', { type: 'js.number', value: 'toString' }],
  ['VALUE_INVALID: arg_0 is a malformed js.bigint', { type: 'js.bigint', value: '1e3' }],
  ['VALUE_INVALID: arg_0 is a malformed js.bigint', { type: 'js.bigint', value: '9'.repeat(100_001) }],
  ['VALUE_INVALID: arg_0 is a malformed js.date', { type: 'js.date', value: 1e16 }],
  ['VALUE_INVALID: arg_0 is a malformed js.regexp', { type: 'js.regexp', source: '(', flags: '' }],
  [
    'VALUE_INVALID: arg_0 is a malformed js.regexp',
    { type: 'js.regexp', source: '('.repeat(1_000_000), flags: 'q' },
  ],
  ['VALUE_INVALID: arg_0 is a malformed js.symbol', { type: 'js.symbol', well_known: 'prototype' }],
  ['VALUE_INVALID: arg_0 is a malformed js.url', { type: 'js.url', value: 'nowhere' }],
  ['VALUE_INVALID: arg_0 is a malformed js.boxed', { type: 'js.boxed', value: null }],
  ['VALUE_INVALID: arg_0 is a malformed js.object_ref', { type: 'js.object_ref', self_id: 1.5, class: 'A' }],
  [
    'VALUE_INVALID: arg_0__0 refers to arg_9, which is no earlier object',
    list({ type: 'js.ref', key: 'arg_9' }),
  ],
  [
    'VALUE_INVALID: arg_0__0 refers to arg_0__1, which is no earlier object',
    list({ type: 'js.ref', key: 'arg_0__1' }, list()),
  ],
  ['VALUE_INVALID: arg_0 has a malformed js.hole', list({ type: 'js.hole', count: -1 })],
  ['VALUE_INVALID: arg_0 has too many holes', list({ type: 'js.hole', count: 32_000_000 })],
  [
    'VALUE_INVALID: arg_0__property_0 is a property that the object can not have',
    { ...list(1), properties: [{ key: 'length', value: 'x' }] },
  ],
])('%s', (message, encoded) => {
  expect(errorOf(encoded)).toBe(message);
});

test('nothing that a file names becomes a prototype or runs a setter', () => {
  const value = decodeValue(dict(['__proto__', dict(['polluted', true])], ['constructor', 1]), context);
  expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  expect(Object.keys(Object(value))).toEqual(['__proto__', 'constructor']);
  expect(Reflect.get({}, 'polluted')).toBeUndefined();
  const inherited = JSON.parse('{"__proto__": {"type": "js.undefined"}}');
  expect(errorOf(inherited)).toBe('VALUE_INVALID: arg_0 has no type');
});

test('deep input ends in an error, not in a stack overflow', () => {
  let deep: JsonValue = 1;
  for (let level = 0; level < 100_000; level += 1)
    deep = level % 2 === 0 ? list(deep) : { type: 'enum', value: deep };
  expect(errorOf(deep)).toContain('is nested more than 512 deep');
});

test('long keys of deep containers are bounded', () => {
  let deep: JsonValue = list(...Array.from({ length: 100_000 }, () => list()));
  for (let level = 0; level < 500; level += 1) deep = list(deep);
  expect(errorOf(deep)).toContain('belongs to a value that is too large');
});

test('objects and unknown types are asked for', () => {
  const asked: unknown[] = [];
  const hooks: DecodeContext = {
    tensor: () => undefined,
    object: (ref) => {
      asked.push(ref);
      return 'object';
    },
    custom: (node) => (node['type'] === 'ort.model' ? { value: undefined } : undefined),
  };
  expect(
    decodeValue(
      list({ type: 'js.object_ref', self_id: 2n ** 63n, class: 'A' }, { type: 'ort.model' }),
      hooks,
    ),
  ).toEqual(['object', undefined]);
  expect(asked).toEqual([{ self_id: 2n ** 63n, class: 'A' }]);
  expect(errorOf({ type: 'ort.other' }, hooks)).toContain('NOT_REPLAYABLE: arg_0 is a ort.other');
});

test('one decoder knows the containers of earlier arguments', () => {
  const decoder = new ValueDecoder(context);
  const first = decoder.decode(list(list()), 'arg_0');
  expect(decoder.decode({ type: 'js.ref', key: 'arg_0__0' }, 'arg_1')).toBe((first as unknown[])[0]);
});

const types = [
  'list',
  'tuple',
  'Size',
  'dict',
  'enum',
  'torch.dtype',
  'torch.Tensor',
  'js.undefined',
  'js.number',
  'js.bigint',
  'js.date',
  'js.map',
  'js.set',
  'js.regexp',
  'js.error',
  'js.symbol',
  'js.hole',
  'js.object_ref',
  'js.ref',
  'js.boxed',
  'js.url',
  'js.url_search_params',
  'complex',
  '__proto__',
  'constructor',
];
const fields = [
  'items',
  'entries',
  'properties',
  'key',
  'value',
  'name',
  'message',
  'source',
  'flags',
  'class',
  'self_id',
  'tensor_key',
  'last_index',
  'registered',
  'well_known',
  'count',
  'repr',
  'js',
  'truncated',
];
const scalar = fc.constantFrom<JsonValue>(
  null,
  true,
  -0,
  3,
  1e300,
  -1,
  Number.NaN,
  2n ** 70n,
  'arg_0',
  'arg_0__0',
  'length',
  '__proto__',
  'invalid',
  '-0',
  '(',
  '7',
);
const { node } = fc.letrec<{ node: JsonValue; items: JsonValue[]; object: JsonObject }>((tie) => ({
  node: fc.oneof({ maxDepth: 5, depthSize: 'small' }, scalar, tie('object'), tie('items')),
  items: fc.array(
    fc.oneof(
      tie('node'),
      fc.record({ key: fc.oneof(scalar, tie('node')), value: tie('node'), hidden: fc.boolean() }),
    ),
    { maxLength: 3 },
  ),
  object: fc
    .record({
      type: fc.constantFrom(...types),
      parts: fc.dictionary(fc.constantFrom(...fields), fc.oneof(scalar, tie('items'), tie('node')), {
        maxKeys: 4,
      }),
      items: tie('items'),
    })
    .map(({ type, parts, items }) => ({ items, entries: items, ...parts, type })),
}));

test('hostile input gives a value or a FirError, and nothing else', () => {
  fc.assert(
    fc.property(fc.oneof(node, fc.jsonValue() as fc.Arbitrary<JsonValue>), (encoded) => {
      try {
        decodeValue(encoded, { ...context, object: () => ({}) });
      } catch (error) {
        expect(error).toBeInstanceOf(FirError);
        expect(['VALUE_INVALID', 'NOT_REPLAYABLE']).toContain((error as FirError).code);
      }
    }),
    { numRuns: 5000 },
  );
  expect(Reflect.ownKeys(Object.prototype)).not.toContain('polluted');
});
