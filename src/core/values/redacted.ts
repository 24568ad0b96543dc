import type { JsonObject, JsonValue } from '../model/json.js';
import { MAX_STRING_LENGTH } from './limits.js';

/** Type of what stands for a value that was left out: `of` says what it was, `length` and `hash` tell texts apart. */
export const REDACTED_TYPE = 'fir.redacted';

/** Whether an encoded value only says that something was left out. */
export function isRedacted(value: JsonValue | undefined): value is JsonObject {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject && value['type'] === REDACTED_TYPE;
}

/** A text as long as the one that was left out; of one hash, the same. Undefined where the node tells no length. */
export function placeholderText({ length, hash }: JsonObject): string | undefined {
  const isLength = typeof length === 'number' && Number.isInteger(length) && length >= 0;
  if (!isLength || length > MAX_STRING_LENGTH) return undefined;
  const seed = typeof hash === 'string' && /^[0-9a-f]{1,128}$/.test(hash) ? hash : 'x';
  return seed.repeat(Math.ceil(length / seed.length)).slice(0, length);
}

/** Something of the kind that was left out, for a call to run on; undefined where there is no such thing. */
export function placeholderOf(node: JsonObject): { value: unknown } | undefined {
  switch (node['of']) {
    case 'string': {
      const text = placeholderText(node);
      return text === undefined ? undefined : { value: text };
    }
    case 'js.bigint':
      return { value: 0n };
    case 'js.date':
      return { value: new Date(0) };
    case 'js.regexp':
      return { value: /(?:)/ };
    case 'js.url':
      return { value: new URL('http://redacted.invalid/') };
    case 'js.url_search_params':
      return { value: new URLSearchParams() };
    case 'js.symbol':
      return { value: Symbol.for('redacted') };
    default:
      return undefined;
  }
}
