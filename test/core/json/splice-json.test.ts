import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseJson, spliceJson } from '../../../src/core/json/index.js';
import type { JsonValue } from '../../../src/core/model/json.js';

/** The text with every string that begins so changed. */
function spliced(text: string, change: (value: JsonValue) => JsonValue): string {
  const before = parseJson(text);
  return spliceJson(text, before, change(before));
}

/** Replaces the strings of a value, and gives back the same object where there are none. */
function withoutStrings(value: JsonValue): JsonValue {
  if (typeof value === 'string') return null;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const items = value.map(withoutStrings);
    return items.every((item, index) => Object.is(item, value[index])) ? value : items;
  }
  const fields = Object.entries(value).map(([name, field]): [string, JsonValue] => [
    name,
    withoutStrings(field),
  ]);
  return fields.every(([name, field]) => Object.is(value[name], field)) ? value : Object.fromEntries(fields);
}

it.each([
  ['{"a": 1.0, "b": "x"}', '{"a": 1.0, "b": null}'],
  ['{"a":[1e5 ,"x",{"b":"y","c":NaN}]}', '{"a":[1e5 ,null,{"b":null,"c":NaN}]}'],
  ['  ["\\"," , {}, []]  ', '  [null , {}, []]  '],
  ['"x"', 'null'],
  ['{"a": {"b": 1.0}}', '{"a": {"b": 1.0}}'],
])('%s keeps the characters of what does not change', (text, expected) => {
  expect(spliced(text, withoutStrings)).toBe(expected);
});

it('an object that names a member twice is written anew, so that nothing of the first is left', () => {
  expect(spliced('[1.0, {"a": "first", "a": "x"}]', withoutStrings)).toBe('[1.0, {"a":null}]');
});

it('an object with other members is written anew', () => {
  expect(spliceJson('{"a": 1.0}', { a: 1 }, { b: 2 })).toBe('{"b":2}');
});

it('gives a text that is read as the changed value, whatever the value is', () => {
  fc.assert(
    fc.property(fc.json(), (json) => {
      const changed = withoutStrings(parseJson(json));
      expect(parseJson(spliced(json, withoutStrings))).toEqual(changed);
    }),
  );
});
