import { FirError } from '../errors.js';
import type { JsonObject, JsonValue } from '../model/json.js';
import { isRedacted, placeholderText } from './redacted.js';
import { decodeSymbol } from './symbols.js';

export function invalid(key: string, fault: string): FirError {
  return new FirError('VALUE_INVALID', `${key.slice(0, 200)} ${fault}`);
}

/** Of a value that was left out, and that nothing can stand in for. */
export function redactedError(node: JsonObject, key: string): FirError {
  const { of } = node;
  const what = typeof of === 'string' ? `a ${of.slice(0, 80)}` : 'a value';
  return new FirError('NOT_REPLAYABLE', `${key.slice(0, 200)} was ${what}, which was redacted`);
}

export function cutError(key: string): FirError {
  return new FirError(
    'NOT_REPLAYABLE',
    `${key.slice(0, 200)} was cut when it was recorded: it was too large or too deep`,
  );
}

/** Defining the length of a list throws where others only refuse. */
export function canDefine(target: object, name: PropertyKey, attributes: PropertyDescriptor): boolean {
  try {
    return Reflect.defineProperty(target, name, attributes);
  } catch {
    return false;
  }
}

/** Never what a file could make us inherit. */
export function ownProperty(node: JsonObject, name: string): JsonValue | undefined {
  return Object.hasOwn(node, name) ? node[name] : undefined;
}

export function stringOf(node: JsonObject, name: string, key: string): string {
  const value = ownProperty(node, name);
  if (typeof value !== 'string') throw invalid(key, `has no ${name}`);
  return value;
}

/** Of a text that was left out, one in its place. */
export function textOf(node: JsonObject, name: string, key: string): string {
  const value = ownProperty(node, name);
  const placeholder = isRedacted(value) ? placeholderText(value) : undefined;
  return placeholder ?? stringOf(node, name, key);
}

export function itemsOf(node: JsonObject, name: string, key: string): readonly JsonValue[] {
  const items = ownProperty(node, name);
  if (!Array.isArray(items)) throw invalid(key, `has no ${name}`);
  return items;
}

export function pairOf(
  item: JsonValue,
  key: string,
): { key: JsonValue; value: JsonValue; hidden: JsonValue | undefined } {
  if (typeof item === 'object' && item !== null && !Array.isArray(item)) {
    const name = ownProperty(item, 'key');
    const value = ownProperty(item, 'value');
    const hidden = ownProperty(item, 'hidden');
    if (name !== undefined && value !== undefined) return { key: name, value, hidden };
  }
  throw invalid(key, 'has an item without key and value');
}

/** Python's dicts may have numbers as keys, which are property names here. */
export function propertyNameOf(encoded: JsonValue, key: string): PropertyKey {
  if (typeof encoded === 'string') return encoded;
  if (typeof encoded === 'number' || typeof encoded === 'bigint') return String(encoded);
  if (typeof encoded === 'object' && encoded !== null && !Array.isArray(encoded)) {
    const symbol = ownProperty(encoded, 'type') === 'js.symbol' ? decodeSymbol(encoded) : undefined;
    if (symbol !== undefined) return symbol;
    if (ownProperty(encoded, 'truncated') === true) throw cutError(key);
  }
  throw new FirError('NOT_REPLAYABLE', `${key} has a key that can't be a property name`);
}

/** How many places of a list an item leaves empty; 0 for an item that is a value. */
export function countHoles(item: JsonValue, key: string): number {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) return 0;
  if (ownProperty(item, 'type') !== 'js.hole') return 0;
  const count = ownProperty(item, 'count') ?? 1;
  if (typeof count === 'number' && Number.isInteger(count) && count > 0) return count;
  throw invalid(key, 'has a malformed js.hole');
}
