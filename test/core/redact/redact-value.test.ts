import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringifyJson } from '../../../src/core/json/index.js';
import type { JsonValue } from '../../../src/core/model/json.js';
import { Redactor, ruleFor, ValueRedaction } from '../../../src/core/redact/index.js';
import { pythonRules } from '../../../src/core/redact/record-rules.js';
import { decodeValue, ValueEncoder } from '../../../src/core/values/index.js';

const redactor = new Redactor();
const rules = ruleFor({ functionName: 'f', resolution: undefined, cwd: '/app' }, redactor);

function redact(value: unknown): JsonValue {
  return new ValueRedaction(rules).redact(new ValueEncoder().encode(value, 'arg_0'), 'arg_0');
}

function again(value: unknown): unknown {
  return decodeValue(redact(value), { tensor: () => undefined });
}

const SECRETS: [string, unknown][] = [
  ['a text', 'sk-TEST'],
  ['a text in a list', ['sk-TEST']],
  ['a text in a dict', { key: 'sk-TEST' }],
  ['the key of a map', new Map([['sk-TEST', 1]])],
  ['the value of a map', new Map([[1, 'sk-TEST']])],
  ['a text in a set', new Set(['sk-TEST'])],
  ['a boxed text', Object('sk-TEST')],
  ['a pattern', /sk-TEST/],
  ['an address', new URL('http://a.example/sk-TEST')],
  ['the parameters of an address', new URLSearchParams({ key: 'sk-TEST' })],
  ['a registered symbol', Symbol.for('sk-TEST')],
  ['a symbol of its own', Symbol('sk-TEST')],
  ['the message of an error', new Error('sk-TEST')],
  ['a property of an error', Object.assign(new Error(''), { detail: 'sk-TEST' })],
  ['a property of a list', Object.assign([], { detail: 'sk-TEST' })],
  ['the name of a function', Object.defineProperty(() => 1, 'name', { value: 'sk-TEST' })],
];

it.each(SECRETS)('%s goes', (_, value) => {
  expect(stringifyJson(redact(value))).not.toContain('sk-TEST');
});

it('what a call is made of stays: numbers, names, types', () => {
  const value = {
    size: 3,
    scale: 0.5,
    on: true,
    none: null,
    big: 7n,
    no: undefined,
    minus: -0,
    list: [1, [2]],
  };
  const encoded = new ValueEncoder().encode(value, 'arg_0');
  expect(new ValueRedaction(rules).redact(encoded, 'arg_0')).toBe(encoded);
});

it('an integer of more than 64 bits may hold anything, and goes', () => {
  expect(redact(2n ** 64n - 1n)).toEqual({ type: 'js.bigint', value: String(2n ** 64n - 1n) });
  expect(redact(-(2n ** 64n))).toMatchObject({ type: 'fir.redacted', of: 'js.bigint', length: 21 });
});

describe('what stands in the place of a text', () => {
  it('tells its length, and that it is equal to another of the same session', () => {
    expect(redact(['ab', 'cd', 'ab'])).toMatchObject({
      items: [
        { type: 'fir.redacted', of: 'string', length: 2, hash: expect.stringMatching(/^[0-9a-f]{32}$/) },
        { length: 2 },
        { length: 2 },
      ],
    });
    const [first, second, third] = again(['ab', 'cd', 'ab']) as string[];
    expect([first === third, first === second, first?.length]).toEqual([true, false, 2]);
  });

  it('says nothing without the key: the hash is another one in every session', () => {
    expect(new Redactor().text('ab')).not.toEqual(new Redactor().text('ab'));
    const key = 'ab'.repeat(32);
    expect(new Redactor(key).text('ab')).toEqual(new Redactor(key).text('ab'));
    expect(new Redactor('short').text('ab')).not.toEqual(new Redactor('short').text('ab'));
  });

  it('is not redacted again', () => {
    const once = redact({ key: 'sk-TEST' });
    expect(new ValueRedaction(rules).redact(once, 'arg_0')).toBe(once);
  });
});

it('every kind of value comes back as the same kind', () => {
  const value = {
    date: new Date(5),
    pattern: /a/,
    link: new URL('http://a.example/'),
    search: new URLSearchParams('a=b'),
    symbol: Symbol.for('a'),
    error: new TypeError('four'),
    big: 2n ** 80n,
    boxed: Object('abc'),
    map: new Map([
      ['a', 1],
      ['b', 2],
    ]),
    text: 'twelve units',
  };
  const made = again(value) as typeof value;
  expect(made.date).toBeInstanceOf(Date);
  expect(made.pattern).toBeInstanceOf(RegExp);
  expect(made.link).toBeInstanceOf(URL);
  expect(made.search).toBeInstanceOf(URLSearchParams);
  expect(typeof made.symbol).toBe('symbol');
  expect(made.error).toBeInstanceOf(TypeError);
  expect(made.error.message).toHaveLength(4);
  expect(typeof made.big).toBe('bigint');
  expect(String(made.boxed)).toHaveLength(3);
  // Two keys stay two keys.
  expect([...made.map.values()]).toEqual([1, 2]);
  expect(made.text).toHaveLength(12);
});

it('a value that is met again stays one', () => {
  const date = new Date(5);
  const [first, second] = again([date, date]) as Date[];
  expect(first).toBe(second);
});

it('no text of any value is left', () => {
  const anything = fc.anything({
    withDate: true,
    withMap: true,
    withSet: true,
    withBigInt: true,
    withBoxedValues: true,
  });
  // A text that JSON, a marker or a type can't hold by chance.
  const marked = anything.map((value) => [value, { deep: [new Map([['§§§', '§§§']]), '§§§'] }]);
  fc.assert(
    fc.property(marked, (value) => {
      expect(stringifyJson(redact(value))).not.toContain('§');
    }),
  );
});

describe('values that Python recorded', () => {
  const python = (value: JsonValue) => new ValueRedaction(pythonRules(redactor)).redact(value, 'arg_0');

  it.each([
    ['an object', { type: 'Wrapper', repr: '<a.b.Wrapper object at 0x7f3a5819f950>' }],
    ['a device', { type: 'device', repr: 'cuda:0' }],
    ['a range', { type: 'range', repr: 'range(0, 3)' }],
    ['a set of numbers', { type: 'set', repr: '{1, 2}' }],
    ['an enum', { type: 'enum', name: 'Mode.SUM', value: 'sum' }],
    ['a dtype', { type: 'torch.dtype', value: 'torch.float16' }],
    ['a named tuple of numbers', { type: 'Pair', length: 2, items: [1, 2], truncated: false }],
    ['an option of FlashInfer', 'NHD'],
  ])('%s stays as it is', (_, value) => {
    expect(python(value)).toBe(value);
  });

  it.each<[string, JsonValue]>([
    ['a text', 'sk-TEST'],
    ['the text of an object that says more than its class', { type: 'Config', repr: 'Config(key=sk-TEST)' }],
    ['what only looks like a name', { type: 'Config', repr: '[sk-TEST]' }],
    ['a set of texts', { type: 'set', repr: "{'sk-TEST'}" }],
    ['bytes', { type: 'bytes', repr: "b'sk-TEST'" }],
    ['a list that an early recorder wrote as its text', { type: 'list', value: "['sk-TEST']" }],
    ['a value of a type that nobody knows', { type: 'a.b', detail: { other: 'sk-TEST' } }],
    ['a key of a dict that is no text', { type: 'dict', length: 1, items: [{ key: ['sk-TEST'], value: 1 }] }],
    ['a type that is no name', { type: 'sk-TEST', repr: 'x' }],
  ])('%s goes', (_, value) => {
    expect(stringifyJson(python(value))).not.toContain('sk-TEST');
  });

  it('of bytes their number stays', () => {
    expect(python({ type: 'bytes', repr: String.raw`b'a\x00\n\'"'` })).toMatchObject({
      of: 'bytes',
      length: 5,
    });
  });

  it('bytes that were cut short stay what can not be built again', () => {
    const cut = { type: 'bytes', repr: `b'${'a'.repeat(998)}` };
    expect(python(cut)).toMatchObject({ type: 'bytes', repr: { type: 'fir.redacted', of: 'repr' } });
  });
});
