import { types } from 'node:util';

/*
 * Ways to look at a value that run none of its code: built-in functions as they were when the recorder was loaded,
 * which no property of the value can stand in for.
 */

type LookupGetter = (this: object, name: PropertyKey) => unknown;
type Getter = (this: unknown) => unknown;

export const lookupGetter: LookupGetter = Reflect.get(Object.prototype, '__lookupGetter__');

const functionText = Function.prototype.toString;

const PROTOTYPE_NAMES: ReadonlyMap<object, string> = new Map<object, string>(
  [
    Object,
    Array,
    Map,
    Set,
    Date,
    RegExp,
    Number,
    String,
    Boolean,
    BigInt,
    Symbol,
    ArrayBuffer,
    SharedArrayBuffer,
    Error,
    TypeError,
    RangeError,
    SyntaxError,
    ReferenceError,
    EvalError,
    URIError,
    AggregateError,
    URL,
    URLSearchParams,
  ].map((builtin) => [builtin.prototype, builtin.name]),
);

/** The name of the built-in class, of this realm or another, that a prototype belongs to; undefined for any other. */
export function builtinNameOf(prototype: object): string | undefined {
  return PROTOTYPE_NAMES.get(prototype) ?? foreignBuiltinName(prototype);
}

/** A program may pass values of a `vm` context, as test runners do: their built-in classes are other objects. */
function foreignBuiltinName(prototype: object): string | undefined {
  const builder = ownDataProperty(prototype, 'constructor');
  if (typeof builder !== 'function' || ownDataProperty(builder, 'prototype') !== prototype) return undefined;
  const name = ownDataProperty(builder, 'name');
  const isNative = functionText.call(builder).endsWith('{ [native code] }');
  return isNative && typeof name === 'string' ? name : undefined;
}

/** The value of an own property; undefined for an accessor, and for a Proxy, whose traps are not to run. */
export function ownDataProperty(value: object, name: PropertyKey): unknown {
  return types.isProxy(value) ? undefined : Object.getOwnPropertyDescriptor(value, name)?.value;
}

/** The first data property of that name on the value or its prototypes. */
export function inheritedDataProperty(value: object, name: PropertyKey): unknown {
  for (let owner: object | null = value; owner !== null; owner = Object.getPrototypeOf(owner)) {
    if (types.isProxy(owner)) return undefined;
    const descriptor = Object.getOwnPropertyDescriptor(owner, name);
    if (descriptor !== undefined) return descriptor.value;
  }
  return undefined;
}

/** Whether looking a property up could reach a Proxy, whose traps would run. */
export function reachesProxy(value: object): boolean {
  for (let owner: object | null = value; owner !== null; owner = Object.getPrototypeOf(owner)) {
    if (types.isProxy(owner)) return true;
  }
  return false;
}

/** The class of an object by its constructor's name, which need not be unique or even there. */
export function classNameOf(value: object): string {
  if (types.isProxy(value)) return 'Proxy';
  const builder = inheritedDataProperty(value, 'constructor');
  const name = typeof builder === 'function' ? ownDataProperty(builder, 'name') : undefined;
  return typeof name === 'string' && name !== '' ? name.slice(0, 80) : 'anonymous class';
}

/** A getter of a built-in prototype as a function that throws for anything that is not of that class. */
export function builtinGetter(prototype: object, name: PropertyKey): (value: object) => unknown {
  const getter: Getter = Object.getOwnPropertyDescriptor(prototype, name)?.get ?? (() => undefined);
  return (value) => Reflect.apply(getter, value, []);
}
