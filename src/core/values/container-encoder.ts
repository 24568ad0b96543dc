import type { JsonObject, JsonValue } from '../model/json.js';
import { builtinGetter, inheritedDataProperty, lookupGetter } from './builtins.js';
import { opaque } from './describe-opaque.js';
import { encodePrimitive, encodeSymbolNode } from './encode-primitive.js';
import type { EncodeState } from './encode-state.js';

type ObjectEncoder = (value: object, key: string, depth: number) => JsonValue;

const isEnumerable = Object.prototype.propertyIsEnumerable;
const mapEntries = Map.prototype.entries;
const setValues = Set.prototype.values;
const mapSize = builtinGetter(Map.prototype, 'size');
const setSize = builtinGetter(Set.prototype, 'size');

/** Own properties of an error that are not enumerable and still part of it. */
const HIDDEN_OF_ERRORS = ['name', 'cause', 'errors'];

/**
 * Encodes containers, whose children are told apart by key: `__0` in a list or set, `__value_0` in a dict or map,
 * `__key_0` for the key of a map, `__property_0` for a property of a list, map, error and so on.
 */
export class ContainerEncoder {
  readonly #state: EncodeState;
  readonly #encodeObject: ObjectEncoder;

  constructor(state: EncodeState, encodeObject: ObjectEncoder) {
    this.#state = state;
    this.#encodeObject = encodeObject;
  }

  dict(value: object, key: string, depth: number): JsonObject {
    const names = ownNames(value, 0);
    const items = this.#properties(value, names, key, '__value_', depth);
    return { type: 'dict', length: names.length, items, truncated: items.length < names.length };
  }

  list(value: readonly unknown[], key: string, depth: number): JsonObject {
    const { length } = value;
    if (this.#state.isOver(length, depth)) return { type: 'list', length, truncated: true };
    const names = Object.keys(value);
    const items: JsonValue[] = [];
    const isDense = names.length >= length && (length === 0 || names[length - 1] === String(length - 1));
    let at = 0;
    let next = 0;
    while (next < length && !this.#state.isOver(1, depth)) {
      const index = isDense ? next : (indexOfName(names[at]) ?? length);
      if (index > next) items.push(this.#holes(index - next));
      if (index < length) {
        items.push(this.#element(value, index, key, depth));
        at += 1;
      }
      next = index + 1;
    }
    const node = { type: 'list', length, items, truncated: next < length };
    return this.#withProperties(node, value, ownNames(value, at, names), key, depth);
  }

  set(value: ReadonlySet<unknown>, key: string, depth: number): JsonObject {
    const items: JsonValue[] = [];
    for (const item of Reflect.apply(setValues, value, [])) {
      if (this.#state.isOver(1, depth)) break;
      this.#state.path[depth] = items.length;
      items.push(this.#child(item, key, '__', items.length, depth));
    }
    const length = Number(setSize(value));
    const node = { type: 'js.set', length, items, truncated: items.length < length };
    return this.#withProperties(node, value, ownNames(value, 0), key, depth);
  }

  map(value: ReadonlyMap<unknown, unknown>, key: string, depth: number): JsonObject {
    const entries: JsonObject[] = [];
    for (const [name, item] of Reflect.apply(mapEntries, value, [])) {
      if (this.#state.isOver(2, depth)) break;
      const position = entries.length;
      this.#state.path[depth] = typeof name === 'string' ? name : position;
      const encodedName = this.#child(name, key, '__key_', position, depth);
      entries.push({ key: encodedName, value: this.#child(item, key, '__value_', position, depth) });
    }
    const length = Number(mapSize(value));
    const node = { type: 'js.map', length, entries, truncated: entries.length < length };
    return this.#withProperties(node, value, ownNames(value, 0), key, depth);
  }

  /** An error without its stack: making the text of a stack may run code of the program. */
  error(value: object, className: string, key: string, depth: number): JsonObject {
    const text = inheritedDataProperty(value, 'message');
    const message = encodePrimitive(this.#state, typeof text === 'string' ? text : '', depth);
    const node: JsonObject = { type: 'js.error', name: className, message };
    if (typeof message !== 'string') node['truncated'] = true;
    const names = ownNames(value, 0);
    const hidden = HIDDEN_OF_ERRORS.filter((name) => Object.hasOwn(value, name) && !names.includes(name));
    return this.#withProperties(node, value, [...names, ...hidden], key, depth);
  }

  /** Adds what else was put on an object of a built-in class; `skip` counts names that are its content. */
  withOwnProperties(node: JsonObject, value: object, skip: number, key: string, depth: number): JsonObject {
    return this.#withProperties(node, value, ownNames(value, skip), key, depth);
  }

  #withProperties(
    node: JsonObject,
    value: object,
    names: readonly (string | symbol)[],
    key: string,
    depth: number,
  ): JsonObject {
    if (names.length === 0) return node;
    const properties = this.#properties(value, names, key, '__property_', depth);
    node['properties'] = properties;
    if (properties.length < names.length) node['truncated'] = true;
    return node;
  }

  #properties(
    value: object,
    names: readonly (string | symbol)[],
    key: string,
    infix: string,
    depth: number,
  ): JsonObject[] {
    const items: JsonObject[] = [];
    const state = this.#state;
    for (const name of names) {
      if (state.isOver(2, depth)) break;
      state.path[depth] = name;
      const item: JsonObject = {
        key:
          typeof name === 'string'
            ? encodePrimitive(state, name, depth)
            : encodeSymbolNode(state, name, depth + 1),
        value:
          lookupGetter.call(value, name) === undefined
            ? this.#child((value as Record<PropertyKey, unknown>)[name], key, infix, items.length, depth)
            : this.#refuseGetter(depth),
      };
      if (!isEnumerable.call(value, name)) item['hidden'] = true;
      items.push(item);
    }
    return items;
  }

  #element(value: readonly unknown[], index: number, key: string, depth: number): JsonValue {
    this.#state.path[depth] = index;
    return lookupGetter.call(value, index) === undefined
      ? this.#child(value[index], key, '__', index, depth)
      : this.#refuseGetter(depth);
  }

  /** A run of places that hold nothing. */
  #holes(count: number): JsonObject {
    this.#state.spend(0, count);
    return count === 1 ? { type: 'js.hole' } : { type: 'js.hole', count };
  }

  #child(value: unknown, parentKey: string, infix: string, position: number, depth: number): JsonValue {
    const isPrimitive = (typeof value !== 'object' && typeof value !== 'function') || value === null;
    return isPrimitive
      ? encodePrimitive(this.#state, value, depth + 1)
      : this.#encodeObject(value, `${parentKey}${infix}${position}`, depth + 1);
  }

  #refuseGetter(depth: number): JsonObject {
    this.#state.spend(0);
    return this.#state.refuse(opaque('getter', '[Getter]', 'a getter, which is not run'), depth + 1);
  }
}

/** Names of the own enumerable properties but the first `skip`, symbols last. */
function ownNames(value: object, skip: number, names: string[] = Object.keys(value)): (string | symbol)[] {
  const rest: (string | symbol)[] = skip === 0 ? names : names.slice(skip);
  const symbols = Object.getOwnPropertySymbols(value);
  if (symbols.length === 0) return rest;
  return [...rest, ...symbols.filter((symbol) => isEnumerable.call(value, symbol))];
}

/** The array index that a property name is; undefined for any other name. Names of indices come first, in order. */
function indexOfName(name: string | undefined): number | undefined {
  const index = Number(name);
  return String(index >>> 0) === name ? index : undefined;
}
