import assert from 'node:assert/strict';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FirError } from '../../../src/core/errors.js';
import { parseJson } from '../../../src/core/json/index.js';
import { parsePythonJson } from '../../../src/core/json/parse-python-json.js';

function errorOf(text: string): FirError {
  try {
    parseJson(text);
  } catch (error) {
    if (error instanceof FirError) return error;
    throw error;
  }
  throw new Error(`${text.slice(0, 40)} was read`);
}

test('reads bare NaN and infinities as numbers, and leaves strings that spell them alone', () => {
  const text =
    '{"kwarg_cap": Infinity, "kwarg_scale": NaN, "kwarg_bias": -Infinity, "kwarg_note": "NaN, Infinity"}';
  expect(parseJson(text)).toEqual({
    kwarg_cap: Number.POSITIVE_INFINITY,
    kwarg_scale: Number.NaN,
    kwarg_bias: Number.NEGATIVE_INFINITY,
    kwarg_note: 'NaN, Infinity',
  });
});

test.each<[text: string, value: unknown]>([
  ['9007199254740991', 9007199254740991],
  ['-9007199254740991', -9007199254740991],
  ['9007199254740992', 9007199254740992n],
  ['-9007199254740993', -9007199254740993n],
  ['18446744073709551615', 18446744073709551615n],
  ['[1, 9007199254740993]', [1, 9007199254740993n]],
  ['{"seed":9007199254740993}', { seed: 9007199254740993n }],
  ['9007199254740993.0', 9007199254740992],
  ['9007199254740993e0', 9007199254740992],
  ['0.1234567890123456789', 0.12345678901234568],
  ['1e400', Number.POSITIVE_INFINITY],
  ['"9007199254740993"', '9007199254740993'],
])('reads %s with every digit that it means', (text, value) => {
  expect(parseJson(text)).toStrictEqual(value);
});

test.each(['-0', '-0.0', '-0e5'])('keeps the sign of %s', (text) => {
  expect(parseJson(text)).toBe(-0);
  expect(parseJson(`[NaN, ${text}]`)).toStrictEqual([Number.NaN, -0]);
});

test.each(['{"__proto__":{"x":1}}', '{"__proto__":{"x":1},"n":NaN}'])(
  'keeps __proto__ in %s as a plain key',
  (text) => {
    const value = parseJson(text);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(Object.getOwnPropertyDescriptor(value, '__proto__')?.value).toEqual({ x: 1 });
    expect(Reflect.get(Object(value), 'x')).toBeUndefined();
  },
);

test.each(['{"a":1,"b":2,"a":3}', '{"a":NaN,"b":2,"a":3}'])(
  'takes the last of duplicate keys in %s',
  (text) => {
    expect(JSON.stringify(parseJson(text))).toBe('{"a":3,"b":2}');
  },
);

test.each<[text: string, message: string]>([
  ['', 'invalid JSON at character 0: found the end of the text, expected a value'],
  ['  ', 'invalid JSON at character 2: found the end of the text, expected a value'],
  ['{"a":1,}', "invalid JSON at character 7: found '}', expected a key"],
  ['{a:1}', "invalid JSON at character 1: found 'a', expected a key or '}'"],
  ['{"a" 1}', "invalid JSON at character 5: found '1', expected ':'"],
  ['{"a":1', "invalid JSON at character 6: found the end of the text, expected ',' or '}'"],
  ['[1 2]', "invalid JSON at character 3: found '2', expected ',' or ']'"],
  ['[1,]', "invalid JSON at character 3: found ']', expected a value"],
  ['01', "invalid JSON at character 1: found '1', expected the end"],
  ['1.', "invalid JSON at character 1: found '.', expected the end"],
  ['+1', "invalid JSON at character 0: found '+', expected a value"],
  ['-', "invalid JSON at character 0: found '-', expected a value"],
  ['-NaN', "invalid JSON at character 0: found '-', expected a value"],
  ['nul', "invalid JSON at character 0: found 'n', expected a value"],
  ['"abc', 'invalid JSON at character 4: found the end of the text, expected the rest of a string'],
  ['"a\nb"', 'invalid JSON at character 2: found U+000A, expected the rest of a string'],
  ['"\\x"', "invalid JSON at character 1: found '\\', expected an escape that JSON knows"],
  ['"\\u12"', "invalid JSON at character 1: found '\\', expected four hexadecimal digits after \\u"],
  ['\uFEFF1', 'invalid JSON at character 0: found U+FEFF, expected a value'],
  ['😀', 'invalid JSON at character 0: found U+1F600, expected a value'],
])('says where %j is wrong and what was found', (text, message) => {
  const error = errorOf(text);
  expect(error.code).toBe('UNREADABLE_RECORD');
  expect(error.message).toBe(message);
});

test('refuses deep nesting with an error, not with a stack overflow', () => {
  const nest = (depth: number, open: string, close: string) => open.repeat(depth) + close.repeat(depth);
  expect(parseJson(nest(2000, '[', ']'))).toBeInstanceOf(Array);
  expect(errorOf(nest(2001, '[', ']')).message).toContain('at most 2000 containers');
  expect(errorOf('['.repeat(1_000_000)).code).toBe('UNREADABLE_RECORD');
  expect(errorOf('{"a":'.repeat(1_000_000)).code).toBe('UNREADABLE_RECORD');
  expect(errorOf(`[NaN,${'['.repeat(1_000_000)}`).code).toBe('UNREADABLE_RECORD');
});

test('reads many containers side by side, and brackets inside strings', () => {
  const flat = `[${Array.from({ length: 5000 }, () => '[]').join(',')}]`;
  expect(parseJson(flat)).toHaveLength(5000);
  const text = `["${'['.repeat(5000)}\\"${'{'.repeat(5000)}"]`;
  expect(parseJson(text)).toEqual([`${'['.repeat(5000)}"${'{'.repeat(5000)}`]);
});

test('refuses an integer of more digits than anyone writes', () => {
  expect(parseJson('9'.repeat(100_000))).toBe(BigInt('9'.repeat(100_000)));
  expect(errorOf('9'.repeat(100_001)).message).toContain('at most 100000 digits');
});

test('keeps lone surrogates and control characters that are escaped', () => {
  expect(parseJson('[NaN,"\\ud800","\\u0000","\\b\\f\\n\\r\\t\\/\\"\\\\"]')).toEqual([
    Number.NaN,
    '\ud800',
    '\0',
    '\b\f\n\r\t/"\\',
  ]);
});

/** JSON.parse rounds the others. */
const hasShortIntegers = (text: string) => !/(?<![\d.])\d{16}/.test(text);

test('the parser for Python reads strict JSON as JSON.parse does', () => {
  fc.assert(
    fc.property(
      fc.json({ maxDepth: 5 }).filter(hasShortIntegers),
      fc.constantFrom('', '  ', '\n\t'),
      (text, space) => {
        assert.deepStrictEqual(parsePythonJson(space + text + space), JSON.parse(text));
      },
    ),
  );
});

test('the parser for Python refuses what JSON.parse refuses', () => {
  const noise = fc.string({ unit: fc.constantFrom(...'[]{}",:\\u0123.eE-+ntf ') });
  fc.assert(
    fc.property(noise, (text) => {
      let expected: unknown = FirError;
      try {
        expected = JSON.parse(text);
      } catch {}
      if (expected === FirError) expect(() => parsePythonJson(text)).toThrow(FirError);
      else assert.deepStrictEqual(parsePythonJson(text), expected);
    }),
    { numRuns: 2000 },
  );
});
