import type { JsonObject, JsonValue } from '../model/json.js';
import type { NanRule, Tolerance } from '../model/tolerance.js';

/** An entry of a dict, Map or Set, or a field of another node. */
export interface Entry {
  name: string;
  value: JsonValue;
}

/** What there is to compare in a node beyond its type. Entries are by an identity of their key. */
export type NodeContent =
  | { kind: 'tensor' }
  | { kind: 'text'; text: string }
  | { kind: 'items'; items: JsonValue[] }
  | { kind: 'entries'; entries: Map<string, Entry> };

export function isNode(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The number that a value stands for: a scalar, or a `js.number` node for what JSON has no text for. */
export function asNumber(value: JsonValue): number | bigint | undefined {
  if (typeof value === 'number' || typeof value === 'bigint') return value;
  const isSpecial = isNode(value) && value['type'] === 'js.number' && typeof value['value'] === 'string';
  return isSpecial ? Number(value['value']) : undefined;
}

/** See `compareValues`. */
export function numbersMatch(
  actual: number | bigint,
  expected: number | bigint,
  { rtol, atol }: Tolerance,
  nan: NanRule,
): boolean {
  if (typeof actual === 'bigint' || typeof expected === 'bigint') return isSameInteger(actual, expected);
  if (Number.isNaN(actual) && Number.isNaN(expected)) return nan === 'equal';
  if (actual === expected) return true;
  if (Number.isSafeInteger(actual) && Number.isSafeInteger(expected)) return false;
  const difference = Math.abs(actual - expected);
  return Number.isFinite(difference) && difference <= atol + rtol * Math.abs(expected);
}

/** JavaScript compares a bigint with a number by their mathematical values. */
function isSameInteger(actual: number | bigint, expected: number | bigint): boolean {
  return actual <= expected && actual >= expected;
}

export function contentOf(node: JsonObject): NodeContent {
  const { type, items, repr, length: _, ...fields } = node;
  if (type === 'torch.Tensor') return { kind: 'tensor' };
  if (typeof repr === 'string') return { kind: 'text', text: repr.replace(/\b0x[0-9a-f]+\b/gi, '0x…') };
  const entries = new Map<string, Entry>();
  for (const [name, value] of Object.entries(fields)) addEntry(entries, `field ${name}`, { name, value });
  if (!Array.isArray(items)) return { kind: 'entries', entries };
  const isKeyed = type === 'dict' || type === 'js.map';
  if (!isKeyed && type !== 'js.set') {
    if (entries.size === 0) return { kind: 'items', items };
    addEntry(entries, 'field items', { name: 'items', value: items });
    return { kind: 'entries', entries };
  }
  for (const item of items) {
    const { key = null, value = null } = isKeyed && isNode(item) ? item : { key: item };
    addEntry(entries, identify(key), { name: nameOf(key), value });
  }
  return { kind: 'entries', entries };
}

/** Keys that are encoded alike, of two described objects say, are told apart by their order. */
function addEntry(entries: Map<string, Entry>, identity: string, entry: Entry): void {
  let id = identity;
  for (let copy = 2; entries.has(id); copy++) id = `${identity} #${copy}`;
  entries.set(id, entry);
}

function nameOf(key: JsonValue): string {
  return typeof key === 'string' ? key : identify(key);
}

/** Text that is equal for equal keys: independent of the order of properties, of `-0`, and of where tensors are kept. */
function identify(key: JsonValue): string {
  const number = asNumber(key);
  if (number !== undefined) return String(number);
  if (Array.isArray(key)) return `[${key.map(identify).join()}]`;
  if (!isNode(key)) return JSON.stringify(key);
  if (key['type'] === 'torch.Tensor') return 'tensor';
  const fields = Object.entries(key).map(([name, value]) => `${JSON.stringify(name)}:${identify(value)}`);
  return `{${fields.sort().join()}}`;
}
