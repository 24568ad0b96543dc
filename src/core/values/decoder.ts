import { FirError } from '../errors.js';
import type { JsonObject, JsonValue } from '../model/json.js';
import type { DecodeContext } from './context.js';
import { decodeError } from './decode-error.js';
import { LEAF_DECODERS } from './decode-leaf.js';
import { MAX_DEPTH, MAX_NODES, MAX_TEXT_LENGTH } from './limits.js';
import {
  canDefine,
  countHoles,
  cutError,
  invalid,
  itemsOf,
  ownProperty,
  pairOf,
  propertyNameOf,
  redactedError,
  stringOf,
  textOf,
} from './node-parts.js';
import { REDACTED_TYPE } from './redacted.js';

/** Decodes one value on its own; `key` is the one that it was encoded under, which its `js.ref`s start with. */
export function decodeValue(encoded: JsonValue, context: DecodeContext, key = 'arg_0'): unknown {
  return new ValueDecoder(context).decode(encoded, key);
}

/**
 * Builds back what `ValueEncoder` encoded. One decoder takes the arguments of one call in their order, since an
 * argument may hold what stood in an earlier one.
 *
 * Throws FirError NOT_REPLAYABLE for what was only described or cut, VALUE_INVALID for what no encoder writes.
 */
export class ValueDecoder {
  readonly #context: DecodeContext;
  /** Objects by the key of their first place. */
  readonly #places = new Map<string, object>();
  #placesLength = 0;
  #holes = 0;
  #madeUpLength = 0;

  constructor(context: DecodeContext) {
    this.#context = context;
  }

  decode(encoded: JsonValue, key: string): unknown {
    return this.#decode(encoded, key, 0);
  }

  #decode(encoded: JsonValue, key: string, depth: number): unknown {
    if (typeof encoded !== 'object' || encoded === null) return encoded;
    if (depth > MAX_DEPTH) throw invalid(key, `is nested more than ${MAX_DEPTH} deep`);
    if (Array.isArray(encoded)) throw invalid(key, 'is a bare list');
    const type = ownProperty(encoded, 'type');
    if (typeof type !== 'string') throw invalid(key, 'has no type');
    if (ownProperty(encoded, 'repr') !== undefined) return this.#decodeUnknown(encoded, type, key);
    if (ownProperty(encoded, 'truncated') === true) throw cutError(key);
    if (type === REDACTED_TYPE) this.#spendText(encoded, key);
    const decodeLeaf = LEAF_DECODERS.get(type);
    if (decodeLeaf === undefined) return this.#decodeNode(encoded, type, key, depth);
    const leaf = decodeLeaf(encoded);
    if (leaf === undefined)
      throw type === REDACTED_TYPE ? redactedError(encoded, key) : invalid(key, `is a malformed ${type}`);
    return this.#finish(leaf.value, encoded, key, depth);
  }

  #decodeNode(node: JsonObject, type: string, key: string, depth: number): unknown {
    switch (type) {
      case 'torch.Tensor':
        return this.#context.tensor(stringOf(node, 'tensor_key', key));
      case 'list':
      case 'tuple':
      case 'Size':
        return this.#decodeList(node, key, depth);
      case 'dict':
        return this.#decodeDict(node, key, depth);
      case 'js.set':
        return this.#decodeSet(node, key, depth);
      case 'js.map':
        return this.#decodeMap(node, key, depth);
      case 'js.error':
        return this.#finish(
          decodeError(stringOf(node, 'name', key), textOf(node, 'message', key)),
          node,
          key,
          depth,
        );
      case 'js.boxed':
        return this.#decodeBoxed(node, key, depth);
      case 'js.ref':
        return this.#decodeRef(stringOf(node, 'key', key), key);
      case 'js.object_ref':
        return this.#decodeObjectRef(node, key);
      case 'enum':
        return this.#decode(ownProperty(node, 'value') ?? null, key, depth + 1);
      default:
        return this.#decodeUnknown(node, type, key);
    }
  }

  #decodeUnknown(node: JsonObject, type: string, key: string): unknown {
    const custom = this.#context.custom?.(node);
    if (custom !== undefined) return custom.value;
    const repr = ownProperty(node, 'repr');
    const shown = typeof repr === 'string' ? ` (${repr.slice(0, 80)})` : '';
    throw new FirError(
      'NOT_REPLAYABLE',
      `${key} is a ${type.slice(0, 80)}${shown}, which can't be built again`,
    );
  }

  #decodeList(node: JsonObject, key: string, depth: number): unknown[] {
    const list: unknown[] = [];
    this.#place(key, list);
    for (const item of itemsOf(node, 'items', key)) {
      const holes = countHoles(item, key);
      this.#holes += holes;
      // Never a length that a file only claims: the engine may allocate it.
      if (this.#holes > MAX_NODES) throw invalid(key, 'has too many holes');
      if (holes > 0) list.length += holes;
      else list.push(this.#decode(item, `${key}__${list.length}`, depth + 1));
    }
    this.#decodeProperties(list, node, key, depth);
    return list;
  }

  #decodeDict(node: JsonObject, key: string, depth: number): object {
    const dict: object = ownProperty(node, 'js') === 'null_prototype' ? Object.create(null) : {};
    this.#place(key, dict);
    this.#define(dict, itemsOf(node, 'items', key), `${key}__value_`, depth);
    return dict;
  }

  #decodeSet(node: JsonObject, key: string, depth: number): Set<unknown> {
    const set = new Set<unknown>();
    this.#place(key, set);
    for (const [position, item] of itemsOf(node, 'items', key).entries()) {
      set.add(this.#decode(item, `${key}__${position}`, depth + 1));
    }
    this.#decodeProperties(set, node, key, depth);
    return set;
  }

  #decodeMap(node: JsonObject, key: string, depth: number): Map<unknown, unknown> {
    const map = new Map<unknown, unknown>();
    this.#place(key, map);
    for (const [position, item] of itemsOf(node, 'entries', key).entries()) {
      const entry = pairOf(item, key);
      const name = this.#decode(entry.key, `${key}__key_${position}`, depth + 1);
      map.set(name, this.#decode(entry.value, `${key}__value_${position}`, depth + 1));
    }
    this.#decodeProperties(map, node, key, depth);
    return map;
  }

  #decodeBoxed(node: JsonObject, key: string, depth: number): unknown {
    const primitive = this.#decode(ownProperty(node, 'value') ?? null, key, depth + 1);
    if (primitive === null || primitive === undefined) throw invalid(key, 'is a malformed js.boxed');
    return this.#finish(Object(primitive), node, key, depth);
  }

  /** Texts in the place of others are as long as a file claims; all of them together are bounded, as the encoder bounds them. */
  #spendText(node: JsonObject, key: string): void {
    const length = ownProperty(node, 'length');
    this.#madeUpLength += typeof length === 'number' ? length : 0;
    if (this.#madeUpLength > MAX_TEXT_LENGTH) throw invalid(key, 'belongs to a value that is too large');
  }

  /** Keys of deep objects are long; all of them together are bounded, as the encoder bounds them. */
  #place(key: string, value: object): void {
    this.#placesLength += key.length;
    if (this.#placesLength > MAX_TEXT_LENGTH) throw invalid(key, 'belongs to a value that is too large');
    this.#places.set(key, value);
  }

  #decodeRef(place: string, key: string): unknown {
    if (!this.#places.has(place))
      throw invalid(key, `refers to ${place.slice(0, 80)}, which is no earlier object`);
    return this.#places.get(place);
  }

  #decodeObjectRef(node: JsonObject, key: string): unknown {
    const selfId = ownProperty(node, 'self_id');
    const className = stringOf(node, 'class', key);
    const isId = typeof selfId === 'bigint' || (typeof selfId === 'number' && Number.isSafeInteger(selfId));
    if (!isId) throw invalid(key, 'is a malformed js.object_ref');
    if (this.#context.object === undefined) {
      throw new FirError(
        'NOT_REPLAYABLE',
        `${key} is the recorded ${className} ${selfId}, which is not at hand here`,
      );
    }
    return this.#context.object({ self_id: selfId, class: className });
  }

  /** Remembers an object without children of its own, and gives it the properties that were put on it. */
  #finish(value: unknown, node: JsonObject, key: string, depth: number): unknown {
    if (typeof value !== 'object' || value === null) return value;
    this.#place(key, value);
    this.#decodeProperties(value, node, key, depth);
    return value;
  }

  #decodeProperties(target: object, node: JsonObject, key: string, depth: number): void {
    if (ownProperty(node, 'properties') === undefined) return;
    this.#define(target, itemsOf(node, 'properties', key), `${key}__property_`, depth);
  }

  /** Defines properties one by one: assigning to `__proto__` would set the prototype, to others run a setter. */
  #define(target: object, items: readonly JsonValue[], prefix: string, depth: number): void {
    for (const [position, item] of items.entries()) {
      const key = `${prefix}${position}`;
      const entry = pairOf(item, key);
      const value = this.#decode(entry.value, key, depth + 1);
      const enumerable = entry.hidden !== true;
      const attributes = { value, writable: true, enumerable, configurable: true };
      if (!canDefine(target, propertyNameOf(entry.key, key), attributes)) {
        throw invalid(key, 'is a property that the object can not have');
      }
    }
  }
}
