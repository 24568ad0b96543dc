import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJson, replaceMember, stringifyJson } from '../../../src/core/json/index.js';
import type { JsonObject, JsonValue } from '../../../src/core/model/json.js';

describe('replacing a member of a record', () => {
  it.each([
    ['{}', '{"a":1}'],
    ['{ }', '{ "a":1}'],
    ['{"b": 1.0}', '{"b": 1.0,"a":1}'],
    ['{"a": [1, {"a": 2}], "b": 1.0}', '{"a": 1, "b": 1.0}'],
    ['{"b": {"a": 3}, "a": NaN}', '{"b": {"a": 3}, "a": 1}'],
    ['{"a":"}\\",\\"a\\":","b":-Infinity}', '{"a":1,"b":-Infinity}'],
    ['{"\\u0061" : 12345678901234567890 }', '{"\\u0061" : 1 }'],
    ['{"a":2,"a":3}', '{"a":2,"a":1}'],
    ['{"b":"\\\\","a":true\n}\n', '{"b":"\\\\","a":1\n}\n'],
    ['\t{"a":{}}', '\t{"a":1}'],
  ])('makes %j to %j', (text, expected) => {
    expect(replaceMember(text, 'a', '1')).toBe(expected);
  });

  it('writes names that are their own escapes', () => {
    expect(replaceMember('{"x":1}', 'a"\n', '2')).toBe('{"x":1,"a\\"\\n":2}');
    expect(replaceMember('{"x":1}', '__proto__', '2')).toBe('{"x":1,"__proto__":2}');
  });

  it('changes that member and nothing else, however the text is spaced', () => {
    const gap = fc.constantFrom('', ' ', '\n  ', '\t');
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 6 }),
        fc.string(),
        fc.jsonValue(),
        gap,
        (object, name, value, space) => {
          const text = JSON.stringify(object, undefined, space);
          const expected: JsonObject = { ...(parseJson(text) as JsonObject) };
          const json = stringifyJson(value as JsonValue);
          Object.defineProperty(expected, name, {
            value: parseJson(json),
            writable: true,
            enumerable: true,
            configurable: true,
          });
          expect(parseJson(replaceMember(text, name, json))).toEqual(expected);
        },
      ),
    );
  });

  it('takes a deep record and a long one in one walk', () => {
    const deep = `{"b":${'['.repeat(1900)}${']'.repeat(1900)},"a":0}`;
    expect(replaceMember(deep, 'a', '1')).toBe(deep.replace('"a":0', '"a":1'));
    const long = `{"b":"${'\\"'.repeat(2_000_000)}","a":0}`;
    expect(replaceMember(long, 'a', '1').endsWith('"a":1}')).toBe(true);
  });
});
