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

/** Sorts out what a node holds, by the types of the value encoder and of FlashInfer. */
export function contentOf(node: JsonObject): NodeContent {
  const { type, length: _, truncated: __, repr, items, entries: pairs, properties, ...fields } = node;
  if (type === 'torch.Tensor') return { kind: 'tensor' };
  if (typeof repr === 'string') return { kind: 'text', text: repr.replace(/\b0x[0-9a-f]+\b/gi, '0x…') };
  const containers = [items, pairs, properties].filter((part) => part !== undefined);
  const isOther = containers.length === 1 && Array.isArray(items) && type !== 'dict' && type !== 'js.set';
  if (isOther && Object.keys(fields).length === 0) return { kind: 'items', items };
  const isLeaf = containers.length === 0 && Object.values(fields).every((field) => typeof field !== 'object');
  if (isLeaf) return { kind: 'text', text: identify(node) };

  const entries = new EntryList();
  for (const [name, value] of Object.entries(fields)) entries.add(`field ${name}`, { name, value });
  if (type === 'dict') entries.addPairs('item', items);
  else if (type === 'js.set' && Array.isArray(items)) {
    for (const item of items) entries.add(`item ${identify(item)}`, { name: nameOf(item), value: null });
  } else if (items !== undefined) entries.add('field items', { name: 'items', value: items });
  entries.addPairs('item', pairs);
  entries.addPairs('property', properties);
  return { kind: 'entries', entries: entries.byIdentity };
}

class EntryList {
  readonly byIdentity = new Map<string, Entry>();
  readonly #copies = new Map<string, number>();

  /** Keys that are encoded alike, of two described objects say, are told apart by their order. */
  add(identity: string, entry: Entry): void {
    const copy = (this.#copies.get(identity) ?? 0) + 1;
    this.#copies.set(identity, copy);
    this.byIdentity.set(`${copy} ${identity}`, entry);
  }

  addPairs(kind: string, pairs: JsonValue | undefined): void {
    if (!Array.isArray(pairs)) return;
    for (const pair of pairs) {
      const { key = null, value = null } = isNode(pair) ? pair : { key: pair };
      this.add(`${kind} ${identify(key)}`, { name: nameOf(key), value });
    }
  }
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
