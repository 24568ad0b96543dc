import assert from 'node:assert/strict';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseJson, stringifyJson } from '../../../src/core/json/index.js';
import type { JsonValue } from '../../../src/core/model/json.js';

const number = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
  fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }).map(Number),
  fc.constant(-0),
);
const beyondSafe = fc
  .bigInt({ min: -(2n ** 200n), max: 2n ** 200n })
  .filter((value) => !Number.isSafeInteger(Number(value)));
const name = fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', 'toJSON', 'length'));
const { json } = fc.letrec<{ json: JsonValue; list: JsonValue[]; object: { [name: string]: JsonValue } }>(
  (tie) => ({
    json: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom(null, true, false),
      number,
      beyondSafe,
      fc.string({ unit: 'binary' }),
      tie('list'),
      tie('object'),
    ),
    list: fc.array(tie('json')),
    object: fc.dictionary(name, tie('json'), { noNullPrototype: true }),
  }),
);

const ordinaryText = fc.json().filter((text) => !/-0(?![.\d])|(?<![\d.])\d{16}/.test(text));

test('reads back everything that it writes, to the last bit', () => {
  fc.assert(
    fc.property(json, (value) => {
      assert.deepStrictEqual(parseJson(stringifyJson(value)), value);
    }),
  );
});

test('writes what JSON.stringify writes where nothing is special', () => {
  fc.assert(
    fc.property(ordinaryText, (text) => {
      const plain: JsonValue = JSON.parse(text);
      expect(stringifyJson(plain)).toBe(JSON.stringify(plain));
      expect(stringifyJson([-0, plain])).toBe(`[-0,${JSON.stringify(plain)}]`);
    }),
  );
});

test.each<[value: JsonValue, text: string]>([
  [
    [Number.NaN, -0, Number.POSITIVE_INFINITY],
    '[{"type":"js.number","value":"NaN"},-0,{"type":"js.number","value":"Infinity"}]',
  ],
  [Number.NEGATIVE_INFINITY, '{"type":"js.number","value":"-Infinity"}'],
  [18446744073709551615n, '18446744073709551615'],
  [9007199254740992, '9007199254740992.0'],
  [-1e20, '-100000000000000000000.0'],
  [1e21, '1e+21'],
  [{ a: 1n, b: [] }, '{"a":1,"b":[]}'],
  [{ '': {}, 'q"': -0 }, '{"":{},"q\\"":-0}'],
])('writes %o as strict JSON', (value, text) => {
  expect(stringifyJson(value)).toBe(text);
  expect(() => JSON.parse(text)).not.toThrow();
});

test('leaves undefined properties out, and refuses what is no JSON value', () => {
  const record = { a: undefined, b: 1 } as unknown as JsonValue;
  expect(stringifyJson(record)).toBe('{"b":1}');
  expect(stringifyJson([record, -0])).toBe('[{"b":1},-0]');
  expect(() => stringifyJson([undefined] as unknown as JsonValue)).toThrow('undefined is no JSON value');
});

test('refuses cycles and values deeper than can be read', () => {
  let deep: JsonValue = 1n;
  for (let depth = 0; depth < 2000; depth += 1) deep = [deep];
  expect(stringifyJson(deep)).toHaveLength(4001);
  expect(() => stringifyJson([deep])).toThrow('more than 2000 containers');
  const cycle: JsonValue[] = [];
  cycle.push(cycle);
  expect(() => stringifyJson(cycle)).toThrow('more than 2000 containers');
});

test('is not misled by a toJSON that the program put on every object', () => {
  Object.defineProperty(Object.prototype, 'toJSON', { value: () => 'hijacked', configurable: true });
  try {
    expect(stringifyJson({ a: [1, 'x'] })).toBe('{"a":[1,"x"]}');
  } finally {
    Reflect.deleteProperty(Object.prototype, 'toJSON');
  }
});
