import type { JsonObject, JsonValue } from '../model/json.js';
import { isRedacted, REDACTED_TYPE } from '../values/redacted.js';
import type { Redactor } from './redactor.js';
import { scrubName } from './text-scrubs.js';

/** What may stay of the values of one call. */
export interface RedactionRules {
  redactor: Redactor;
  /** Whether the text at a place (`arg_1__value_0`) is a word of the called library, and no content. */
  keepsText?(place: string, text: string): boolean;
  /** Whether the text by which a value of a class is described names things and no content. */
  keepsDescription(className: string, text: string): boolean;
  /** An adapter's own kind of value with what may stay of it; undefined for any other. */
  adapted?(node: JsonObject): JsonObject | undefined;
}

/** Fields by `type` that tell what a value is made of, and are needed to run a call. */
const STRUCTURE: ReadonlyMap<string, readonly string[]> = new Map([
  ['torch.Tensor', ['shape', 'dtype', 'stride', 'device', 'requires_grad', 'is_contiguous', 'tensor_key']],
  ['torch.dtype', ['value']],
  ['enum', ['name', 'value']],
  ['dict', ['js']],
  ['js.number', ['value']],
  ['js.bigint', ['value']],
  ['js.ref', ['key']],
  ['js.object_ref', ['self_id', 'class']],
  ['js.hole', ['count']],
  ['js.error', ['name']],
]);
const OF_ALL_TYPES: readonly string[] = ['length', 'truncated'];

/** Values that are content as a whole; of each is told which field is its text. */
const CONTENT: ReadonlyMap<string, string> = new Map([
  ['js.date', 'value'],
  ['js.regexp', 'source'],
  ['js.url', 'value'],
  ['js.url_search_params', 'value'],
  ['bytes', 'repr'],
  ['bytearray', 'repr'],
]);

/** Integers of more bits may hold anything. */
const NUMBER_BITS = 64n;
const MAX_DEPTH = 1024;
/** FlashInfer's recorder keeps so many characters of a text. */
const MAX_PYTHON_TEXT = 1000;

/**
 * Takes the content out of encoded values: texts, dates, patterns, addresses, bytes, the keys of maps. Numbers, booleans,
 * null, dtypes, enums, property names and the keys of dicts stay. What does not change is given back as it is, the same object.
 */
export class ValueRedaction {
  /** Texts that were keys of maps: elsewhere in the record a place may be named by one. */
  readonly mapKeys = new Set<string>();
  readonly #rules: RedactionRules;

  constructor(rules: RedactionRules) {
    this.#rules = rules;
  }

  /** `place` is the key that the value was encoded under. */
  redact(value: JsonValue, place: string): JsonValue {
    return this.#value(value, place, 0);
  }

  /** Each value of an object under its own key. */
  redactAll(values: Readonly<Record<string, JsonValue>>): Record<string, JsonValue> {
    return mapped(values, (value, key) => this.redact(value, key));
  }

  #value(value: JsonValue, place: string, depth: number): JsonValue {
    if (typeof value === 'string') {
      return this.#rules.keepsText?.(place, value) === true ? value : this.#rules.redactor.text(value);
    }
    if (typeof value === 'bigint') return isNumber(value) ? value : this.#number(String(value), 'int');
    if (typeof value !== 'object' || value === null) return value;
    if (depth > MAX_DEPTH) return { type: REDACTED_TYPE, of: 'value' };
    if (Array.isArray(value)) return this.#items(value, `${place}__`, depth);
    return isRedacted(value) ? value : (this.#rules.adapted?.(value) ?? this.#node(value, place, depth));
  }

  #node(node: JsonObject, place: string, depth: number): JsonObject {
    const type = typeof node['type'] === 'string' ? node['type'] : '';
    const whole = this.#whole(node, type);
    if (whole !== undefined) {
      const { properties } = node;
      return Array.isArray(properties)
        ? { ...whole, properties: this.#pairs(properties, place, '__property_', depth) }
        : whole;
    }
    const structure = STRUCTURE.get(type) ?? [];
    return mapped(node, (field, name) => {
      if (name === 'type') return scrubName(type, 'object');
      if (structure.includes(name) || OF_ALL_TYPES.includes(name)) return this.#structure(field);
      if (name === 'repr' || (name === 'value' && isContainerText(node)))
        return this.#description(type, field, depth);
      if (!Array.isArray(field)) return this.#value(field, place, depth + 1);
      if (name === 'properties') return this.#pairs(field, place, '__property_', depth);
      if (name === 'entries') return this.#entries(field, place, depth);
      if (name === 'items') {
        return type === 'dict'
          ? this.#pairs(field, place, '__value_', depth)
          : this.#items(field, `${place}__`, depth);
      }
      return this.#items(field, `${place}__`, depth);
    });
  }

  /** What is content as a whole; undefined for anything that is built of other values. */
  #whole(node: JsonObject, type: string): JsonObject | undefined {
    const { value } = node;
    if (type === 'js.bigint' && typeof value === 'string') {
      return value.length <= 21 && isNumber(BigInt(/^-?\d+$/.test(value) ? value : '0'))
        ? undefined
        : this.#number(value, type);
    }
    if (type === 'js.symbol') {
      const name = node['registered'];
      return typeof name === 'string' ? this.#rules.redactor.text(name, type) : undefined;
    }
    const field = CONTENT.get(type);
    if (field === undefined) return undefined;
    const content = node[field];
    if (type === 'bytes' || type === 'bytearray') {
      // Of what the recorder cut short nobody knows how long it was.
      const isCut = typeof content !== 'string' || content.length >= MAX_PYTHON_TEXT;
      return isCut ? undefined : this.#bytes(content, type);
    }
    const text = typeof content === 'string' ? content : String(content);
    const { length, ...marker } = this.#rules.redactor.text(text, type);
    // How many digits a time has is of no use.
    return type === 'js.date' || length === undefined ? marker : { ...marker, length };
  }

  /** Of Python's bytes, as it prints them, so many as there are. */
  #bytes(repr: string, type: string): JsonObject {
    const body = /b(["'])([\s\S]*)\1/.exec(repr)?.[2] ?? repr;
    const length = body.replaceAll(/\\(?:x[0-9a-f]{2}|.)/gs, '.').length;
    return { ...this.#rules.redactor.text(repr, type), length };
  }

  #number(digits: string, of: string): JsonObject {
    return this.#rules.redactor.text(digits, of);
  }

  /** Counts, names and lists of them, as deep as a structure is; a text of another kind is not in there. */
  #structure(field: JsonValue): JsonValue {
    return typeof field === 'object' && field !== null && !Array.isArray(field)
      ? this.#value(field, '', MAX_DEPTH - 1)
      : field;
  }

  #description(type: string, text: JsonValue, depth: number): JsonValue {
    if (typeof text !== 'string') return this.#value(text, '', depth + 1);
    return this.#rules.keepsDescription(type, text) ? text : this.#rules.redactor.text(text, 'repr');
  }

  #items(items: readonly JsonValue[], prefix: string, depth: number): JsonValue[] {
    return mappedList(items, (item, index) => this.#value(item, `${prefix}${index}`, depth + 1));
  }

  /** Names of properties, and keys of dicts, are what a value is built of. */
  #pairs(pairs: readonly JsonValue[], place: string, infix: string, depth: number): JsonValue[] {
    return mappedList(pairs, (pair, index) => {
      const at = `${place}${infix}${index}`;
      if (typeof pair !== 'object' || pair === null || Array.isArray(pair))
        return this.#value(pair, at, depth + 1);
      return mapped(pair, (field, name) =>
        name === 'key' && isName(field) ? field : this.#value(field, at, depth + 1),
      );
    });
  }

  /** The keys of a map are values. */
  #entries(entries: readonly JsonValue[], place: string, depth: number): JsonValue[] {
    return mappedList(entries, (entry, index) => {
      if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) {
        return this.#value(entry, place, depth + 1);
      }
      const { key } = entry;
      if (typeof key === 'string') this.mapKeys.add(key);
      return mapped(entry, (field, name) =>
        this.#value(field, `${place}${name === 'key' ? '__key_' : '__value_'}${index}`, depth + 1),
      );
    });
  }
}

function isNumber(value: bigint): boolean {
  return (value < 0n ? -value : value) >> NUMBER_BITS === 0n;
}

function isName(key: JsonValue): boolean {
  const isSymbol =
    typeof key === 'object' && key !== null && !Array.isArray(key) && key['type'] === 'js.symbol';
  return typeof key === 'string' || typeof key === 'number' || isSymbol;
}

/** A container without items, as a recorder's first versions wrote one: its text stands under `value`. */
function isContainerText({ type, items, value }: JsonObject): boolean {
  const isOther = typeof type !== 'string' || /^(?:torch\.|enum$|js\.)/.test(type);
  return !isOther && items === undefined && typeof value === 'string';
}

function mapped<T extends Readonly<Record<string, JsonValue>>>(
  fields: T,
  convert: (field: JsonValue, name: string) => JsonValue,
): T {
  const converted = Object.entries(fields).map(([name, field]): [string, JsonValue] => [
    name,
    convert(field, name),
  ]);
  // Without a setter's help: a field may be named `__proto__`.
  return converted.every(([name, field]) => Object.is(fields[name], field))
    ? fields
    : (Object.fromEntries(converted) as T);
}

function mappedList(
  items: readonly JsonValue[],
  convert: (item: JsonValue, index: number) => JsonValue,
): JsonValue[] {
  const converted = items.map(convert);
  return converted.every((item, index) => Object.is(item, items[index])) ? (items as JsonValue[]) : converted;
}
