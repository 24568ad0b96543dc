import type { JsonObject, JsonValue } from '../model/json.js';
import { skipBlank, skipString, skipValue, type TextSpan } from './member-span.js';
import { stringifyJson } from './stringify-json.js';

interface Edit extends TextSpan {
  text: string;
}

/**
 * The text of a JSON value in which what differs between `before`, the value that `parseJson` gave of it, and `after` is
 * written anew. The rest keeps its characters: parsed and written again, Python's `1.0` would become `1`. An object in the
 * text that names a member twice, or where the members differ, is written anew as a whole.
 */
export function spliceJson(text: string, before: JsonValue, after: JsonValue): string {
  const edits: Edit[] = [];
  compare(text, skipBlank(text, 0), before, after, edits);
  let spliced = '';
  let at = 0;
  for (const edit of edits) {
    spliced += text.slice(at, edit.begin) + edit.text;
    at = edit.end;
  }
  return spliced + text.slice(at);
}

/** Notes the edits of the value that begins at `begin`; gives where it ends. */
function compare(text: string, begin: number, before: JsonValue, after: JsonValue, edits: Edit[]): number {
  if (Object.is(before, after)) return skipValue(text, begin);
  const mark = edits.length;
  let end: number | undefined;
  if (Array.isArray(before) && Array.isArray(after)) end = compareItems(text, begin, before, after, edits);
  else if (isObject(before) && isObject(after)) end = compareMembers(text, begin, before, after, edits);
  if (end !== undefined) return end;
  edits.length = mark;
  const whole = { begin, end: skipValue(text, begin), text: stringifyJson(after) };
  edits.push(whole);
  return whole.end;
}

/** Undefined where the values can't be told apart one by one. */
function compareItems(
  text: string,
  begin: number,
  before: readonly JsonValue[],
  after: readonly JsonValue[],
  edits: Edit[],
): number | undefined {
  if (before.length !== after.length) return undefined;
  let at = begin + 1;
  for (const [index, item] of before.entries()) {
    at = compare(text, nextValue(text, at), item, after[index] ?? null, edits);
  }
  return skipBlank(text, at) + 1;
}

function compareMembers(
  text: string,
  begin: number,
  before: JsonObject,
  after: JsonObject,
  edits: Edit[],
): number | undefined {
  const left = new Set(Object.keys(before));
  if (left.size !== Object.keys(after).length) return undefined;
  let at = nextValue(text, begin + 1);
  while (text[at] === '"') {
    const keyEnd = skipString(text, at);
    const name: unknown = JSON.parse(text.slice(at, keyEnd));
    if (typeof name !== 'string' || !left.delete(name) || !Object.hasOwn(after, name)) return undefined;
    const value = skipBlank(text, skipBlank(text, keyEnd) + 1);
    at = nextValue(text, compare(text, value, before[name] ?? null, after[name] ?? null, edits));
  }
  return left.size === 0 ? at + 1 : undefined;
}

/** Where the next member or value begins, or the bracket that closes. */
function nextValue(text: string, begin: number): number {
  const at = skipBlank(text, begin);
  return text[at] === ',' ? skipBlank(text, at + 1) : at;
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
