import { types } from 'node:util';
import type { JsonObject } from '../model/json.js';
import { classNameOf, ownDataProperty } from './builtins.js';

/** What a value that can't be kept is: its place in the record, and how a problem names it. */
export interface Opaque {
  node: JsonObject;
  /** Follows `arg_1 is `. */
  phrase: string;
}

/** Describes a function, or an object that is no plain data, without running its code. */
export function describeOpaque(value: object): Opaque {
  if (types.isProxy(value)) return opaque('Proxy', '[Proxy]', 'a Proxy, which is not looked into');
  const className = classNameOf(value);
  if (typeof value === 'function') {
    const name = ownDataProperty(value, 'name');
    const shown = typeof name === 'string' && name !== '' ? name.slice(0, 80) : '(anonymous)';
    return opaque(className, `[${className}: ${shown}]`, 'a function');
  }
  return opaque(className, `[object ${className}]`, phraseOf(value, className));
}

function phraseOf(value: object, className: string): string {
  if (types.isArgumentsObject(value)) return 'an arguments object';
  return className === 'Object' ? 'an object with a prototype of its own' : `an object of class ${className}`;
}

/** Describes a symbol that no other process can name. */
export function describeSymbol(value: symbol): Opaque {
  return opaque('symbol', String(value).slice(0, 80), 'a symbol that is not registered');
}

export function opaque(type: string, repr: string, phrase: string): Opaque {
  return { node: { type, repr }, phrase };
}
