import { MAX_INTEGER_DIGITS } from '../json/limits.js';
import type { JsonObject } from '../model/json.js';
import { MAX_DATE_MS } from './limits.js';
import { placeholderOf, REDACTED_TYPE } from './redacted.js';
import { decodeSymbol } from './symbols.js';

const DIGITS = /^-?\d+$/;

const NUMBERS: ReadonlyMap<unknown, number> = new Map([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
  ['-0', -0],
]);

/** Decodes one kind of node that holds no other nodes; undefined where the node is malformed. */
type LeafDecoder = (node: JsonObject) => { value: unknown } | undefined;

/** By `type`. What only Python has becomes what serves a JavaScript function: a dtype its name, an enum its value. */
export const LEAF_DECODERS: ReadonlyMap<string, LeafDecoder> = new Map<string, LeafDecoder>([
  ['js.undefined', () => ({ value: undefined })],
  ['js.number', ({ value }) => found(NUMBERS.get(value))],
  ['js.bigint', ({ value }) => (isDigits(value) ? { value: BigInt(value) } : undefined)],
  ['js.symbol', (node) => found(decodeSymbol(node))],
  ['js.date', ({ value }) => decodeDate(value)],
  ['js.regexp', decodeRegExp],
  [REDACTED_TYPE, placeholderOf],
  [
    'js.url',
    ({ value }) => (typeof value === 'string' && URL.canParse(value) ? { value: new URL(value) } : undefined),
  ],
  [
    'js.url_search_params',
    ({ value }) => (typeof value === 'string' ? { value: new URLSearchParams(value) } : undefined),
  ],
  [
    'torch.dtype',
    ({ value }) => (typeof value === 'string' ? { value: value.replace(/^torch\./, '') } : undefined),
  ],
]);

function found(value: unknown): { value: unknown } | undefined {
  return value === undefined ? undefined : { value };
}

function isDigits(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_INTEGER_DIGITS && DIGITS.test(value);
}

function decodeDate(value: unknown): { value: unknown } | undefined {
  if (value === 'invalid') return { value: new Date(Number.NaN) };
  const isTime = typeof value === 'number' && Number.isInteger(value) && Math.abs(value) <= MAX_DATE_MS;
  return isTime ? { value: new Date(value) } : undefined;
}

function decodeRegExp(node: JsonObject): { value: unknown } | undefined {
  const { source, flags, last_index: lastIndex } = node;
  if (typeof source !== 'string' || typeof flags !== 'string') return undefined;
  try {
    const value = new RegExp(source, flags);
    if (typeof lastIndex === 'number') value.lastIndex = lastIndex;
    return { value };
  } catch {
    return undefined;
  }
}
