import { parseJson, replaceMember, stringifyJson } from '../json/index.js';
import type { JsonObject } from '../model/json.js';
import { objectFrom } from '../session/json-fields.js';

const RECORDER = 'flashinfer';

/**
 * The text of a foreign record with further additions of fir's; those that it has stay, unless `additions` has another
 * value for them. Everything else keeps its characters: parsed and written again, 1.0 would become 1.
 */
export function addToForeign(text: string, additions: JsonObject): string {
  const before = objectFrom(objectFrom(parseJson(text))?.['fir']);
  return replaceMember(text, 'fir', stringifyJson({ recorder: RECORDER, ...before, ...additions }));
}
