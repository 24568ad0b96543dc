import { MAX_INTEGER_DIGITS } from '../json/limits.js';
import { encodeSpecialNumber } from '../json/special-number.js';
import type { JsonObject, JsonValue } from '../model/json.js';
import { describeSymbol } from './describe-opaque.js';
import type { EncodeState } from './encode-state.js';
import { MAX_STRING_LENGTH } from './limits.js';
import { encodeSymbol } from './symbols.js';

/** log2(10), rounded down, times the digits: no integer with more bits is read back. */
const MAX_INTEGER_BITS = BigInt(Math.floor(MAX_INTEGER_DIGITS * 3.3219));

/** Encodes anything but an object or a function. */
export function encodePrimitive(state: EncodeState, value: unknown, depth: number): JsonValue {
  switch (typeof value) {
    case 'number':
      state.spend(0);
      return value - value === 0 && !Object.is(value, -0) ? value : encodeSpecialNumber(value);
    case 'string':
      state.spend(value.length);
      if (value.length <= MAX_STRING_LENGTH) return value;
      return state.cut('str', value.length, `a string of ${value.length} characters`, depth);
    case 'boolean':
      state.spend(0);
      return value;
    case 'bigint':
      return encodeBigint(state, value, depth);
    case 'symbol':
      return encodeSymbolNode(state, value, depth);
    case 'undefined':
      state.spend(0);
      return { type: 'js.undefined' };
    default:
      state.spend(0);
      return null;
  }
}

function encodeBigint(state: EncodeState, value: bigint, depth: number): JsonObject {
  const magnitude = value < 0n ? -value : value;
  if (magnitude >> MAX_INTEGER_BITS !== 0n)
    return state.cut('js.bigint', 0, 'a bigint of too many digits', depth);
  const digits = value.toString();
  state.spend(digits.length);
  return { type: 'js.bigint', value: digits };
}

export function encodeSymbolNode(state: EncodeState, value: symbol, depth: number): JsonObject {
  const node = encodeSymbol(value);
  if (node === undefined) return state.refuse(describeSymbol(value), depth);
  state.spend(value.description?.length ?? 0);
  return node;
}
