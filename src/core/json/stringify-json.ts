import { FirError } from '../errors.js';
import type { JsonValue } from '../model/json.js';
import { MAX_JSON_DEPTH } from './limits.js';
import { encodeSpecialNumber } from './special-number.js';

/**
 * Writes strict JSON that `parseJson` reads back without loss: a bigint as its digits, -0 as `-0`, NaN and the
 * infinities as `{"type":"js.number","value":"NaN"}`, and a number beyond 2^53 with a fraction (`1e21`,
 * `9007199254740992.0`), so that it is not taken for an integer of that many digits. Undefined properties are left out.
 *
 * Throws FirError TOO_LARGE past the depth that `parseJson` reads or the longest string, INTERNAL for what is no JSON value.
 */
export function stringifyJson(value: JsonValue): string {
  try {
    return !isPatched() && isOrdinary(value, 0) ? JSON.stringify(value) : write(value, 0);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new FirError('TOO_LARGE', 'the value is too large to be written as JSON', { cause: error });
  }
}

/** A program may give every object a toJSON, which JSON.stringify would follow. */
function isPatched(): boolean {
  return 'toJSON' in Array.prototype;
}

/** Whether JSON.stringify writes the value as we would. */
function isOrdinary(value: JsonValue | undefined, depth: number): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return value - value === 0 && !Object.is(value, -0) && !isLongInteger(value);
    case 'object':
      break;
    default:
      return false;
  }
  if (value === null) return true;
  if (depth === MAX_JSON_DEPTH) return false;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1) {
      if (!isOrdinary(value[index], depth + 1)) return false;
    }
    return true;
  }
  for (const name in value) {
    if (value[name] !== undefined && !isOrdinary(value[name], depth + 1)) return false;
  }
  return true;
}

/** Past 1e21 JavaScript writes an exponent by itself. */
function isLongInteger(value: number): boolean {
  const magnitude = Math.abs(value);
  return magnitude > Number.MAX_SAFE_INTEGER && magnitude < 1e21;
}

function write(value: JsonValue | undefined, depth: number): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'boolean':
      return String(value);
    case 'bigint':
      return value.toString();
    case 'number':
      return writeNumber(value);
    case 'object':
      break;
    default:
      throw new FirError('INTERNAL', `a ${typeof value} is no JSON value`);
  }
  if (value === null) return 'null';
  if (depth === MAX_JSON_DEPTH) {
    throw new FirError('TOO_LARGE', `JSON with more than ${MAX_JSON_DEPTH} containers inside one another`);
  }
  let text = '';
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1) {
      text += `${index === 0 ? '' : ','}${write(value[index], depth + 1)}`;
    }
    return `[${text}]`;
  }
  for (const [name, property] of Object.entries(value)) {
    if (property === undefined) continue;
    text += `${text === '' ? '' : ','}${JSON.stringify(name)}:${write(property, depth + 1)}`;
  }
  return `{${text}}`;
}

function writeNumber(value: number): string {
  if (Object.is(value, -0)) return '-0';
  if (!Number.isFinite(value)) return JSON.stringify(encodeSpecialNumber(value));
  return isLongInteger(value) ? `${value}.0` : String(value);
}
