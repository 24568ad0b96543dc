import type { JsonObject, JsonValue } from '../model/json.js';
import { readLiteral } from './python-literal.js';
import { whyNotRebuildable } from './rebuildable.js';

/** What stands under `value` and is no text of a container. */
const OTHER_VALUES = /^(?:torch\.dtype|enum|js\..*)$/;

/**
 * What stands in the place of the items where the recorder's first versions wrote a list, a tuple, a dict or an object of a
 * class of theirs: the text of the whole value; undefined for another node.
 */
export function containerText({ type, items, value }: JsonObject): JsonValue | undefined {
  const isOther = typeof type !== 'string' || OTHER_VALUES.test(type);
  return isOther || items !== undefined ? undefined : value;
}

/** A recorded value whose containers that were written as texts have items again, or are marked as cut short. */
export function restoreContainers(value: JsonValue): JsonValue {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  if (Array.isArray(value['items'])) return { ...value, items: value['items'].map(restoreContainers) };
  const text = typeof value['repr'] === 'string' ? undefined : containerText(value);
  if (typeof text !== 'string') return value;
  const type = String(value['type']);
  const literal = whyNotRebuildable(type, text) === undefined ? readLiteral(text) : undefined;
  return literal?.encoded ?? { type, truncated: true };
}
