import type { JsonObject, JsonValue } from '../model/json.js';
import { builtinGetter } from './builtins.js';

const dateValue = Date.prototype.valueOf;
const sourceOf = builtinGetter(RegExp.prototype, 'source');
const hrefOf = builtinGetter(URL.prototype, 'href');
const searchText = URLSearchParams.prototype.toString;

/** Not `flags`: its getter reads properties of the value, which may be the program's own accessors. */
const FLAG_GETTERS = [
  ['d', builtinGetter(RegExp.prototype, 'hasIndices')],
  ['g', builtinGetter(RegExp.prototype, 'global')],
  ['i', builtinGetter(RegExp.prototype, 'ignoreCase')],
  ['m', builtinGetter(RegExp.prototype, 'multiline')],
  ['s', builtinGetter(RegExp.prototype, 'dotAll')],
  ['u', builtinGetter(RegExp.prototype, 'unicode')],
  ['v', builtinGetter(RegExp.prototype, 'unicodeSets')],
  ['y', builtinGetter(RegExp.prototype, 'sticky')],
] as const;

/**
 * Encodes an object of a built-in class that holds no other values, given the class of its prototype; undefined for
 * other classes. Throws TypeError for an object that only has the prototype.
 */
export function encodeLeaf(value: object, className: string): JsonObject | undefined {
  switch (className) {
    case 'Date': {
      const time: number = Reflect.apply(dateValue, value, []);
      return { type: 'js.date', value: Number.isNaN(time) ? 'invalid' : time };
    }
    case 'RegExp':
      return encodeRegExp(value);
    case 'URL':
      return { type: 'js.url', value: String(hrefOf(value)) };
    case 'URLSearchParams':
      return { type: 'js.url_search_params', value: Reflect.apply(searchText, value, []) };
    default:
      return undefined;
  }
}

function encodeRegExp(value: object): JsonObject {
  const source = String(sourceOf(value));
  const flags = FLAG_GETTERS.filter(([, has]) => has(value) === true).map(([flag]) => flag);
  const node: JsonObject = { type: 'js.regexp', source, flags: flags.join('') };
  // Always an own data property, where the next match of a global pattern begins.
  const lastIndex: JsonValue | undefined = Object.getOwnPropertyDescriptor(value, 'lastIndex')?.value;
  if (typeof lastIndex === 'number' && lastIndex !== 0) node['last_index'] = lastIndex;
  return node;
}

const UNBOX = {
  Number: Number.prototype.valueOf,
  String: String.prototype.valueOf,
  Boolean: Boolean.prototype.valueOf,
  BigInt: BigInt.prototype.valueOf,
  Symbol: Symbol.prototype.valueOf,
};

/** The primitive in `new Number(1)` and its kind; undefined for other classes. Throws TypeError for an impostor. */
export function unbox(value: object, className: string): { primitive: unknown } | undefined {
  return isBoxName(className) ? { primitive: Reflect.apply(UNBOX[className], value, []) } : undefined;
}

function isBoxName(name: string): name is keyof typeof UNBOX {
  return Object.hasOwn(UNBOX, name);
}
