import type { JsonValue } from '../model/json.js';
import { MAX_JSON_DEPTH } from './limits.js';
import { parsePythonJson } from './parse-python-json.js';

/** Sixteen digits that don't follow a point: an integer that may lie beyond 2^53. */
const LONG_INTEGER = /(?:^|[^\d.])\d{16}/;

/**
 * Reads JSON, strict or as Python writes it: bare NaN, Infinity and -Infinity are numbers, and an integer beyond
 * 2^53 - 1 is a bigint with every digit. Of duplicate keys the last counts, and `__proto__` is a key as any other.
 *
 * Throws FirError UNREADABLE_RECORD with the offset of the offending character.
 */
export function parseJson(text: string): JsonValue {
  if (LONG_INTEGER.test(text) || mayNestTooDeep(text)) return parsePythonJson(text);
  try {
    return JSON.parse(text);
  } catch {
    return parsePythonJson(text);
  }
}

function mayNestTooDeep(text: string): boolean {
  if (text.length <= MAX_JSON_DEPTH) return false;
  const arrays = countUpTo(text, '[', MAX_JSON_DEPTH);
  if (arrays + countUpTo(text, '{', MAX_JSON_DEPTH - arrays) <= MAX_JSON_DEPTH) return false;
  return nestsTooDeep(text);
}

/** Counts occurrences, giving up at one more than `limit`. */
function countUpTo(text: string, character: string, limit: number): number {
  let count = 0;
  for (let at = text.indexOf(character); at !== -1; at = text.indexOf(character, at + 1)) {
    count += 1;
    if (count > limit) break;
  }
  return count;
}

/** Exact for valid JSON, and for any text an answer in linear time. */
function nestsTooDeep(text: string): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x22) {
      at = skipString(text, at + 1);
    } else if (code === 0x5b || code === 0x7b) {
      depth += 1;
      if (depth > MAX_JSON_DEPTH) return true;
    } else if (code === 0x5d || code === 0x7d) {
      depth -= 1;
    }
  }
  return false;
}

/** Offset of the quote that ends the string whose content begins at `begin`. */
function skipString(text: string, begin: number): number {
  let at = begin;
  for (; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x22) break;
    if (code === 0x5c) at += 1;
  }
  return at;
}
