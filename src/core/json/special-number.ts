import type { JsonObject } from '../model/json.js';

/** A number that JSON has no text for, or that some readers change: NaN, the infinities and -0. */
export function encodeSpecialNumber(value: number): JsonObject {
  return { type: 'js.number', value: Object.is(value, -0) ? '-0' : String(value) };
}
