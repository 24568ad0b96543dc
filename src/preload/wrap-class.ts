import { isProxy } from 'node:util/types';
import { constructRecorded, isSuperCall } from './constructions.js';
import { type RecordedFunction, rolesFrom, signatureOf } from './recorded-function.js';
import type { Recorder } from './recorder-core.js';
import {
  type Callable,
  type Constructor,
  isClass,
  isGenerator,
  isWrapped,
  noteOriginal,
  originalOf,
  type WrapOptions,
} from './wrap.js';

/** Classes that are recorded, both as they were and as the program knows them now. */
const recordedClasses = new WeakMap<object, WrapOptions>();

/**
 * A class whose constructor, methods and static methods are recorded. Methods are patched in place, so that objects
 * made from inside the class record too; the constructor through a proxy. Throws where the class can't be changed.
 */
export function wrapClass(recorder: Recorder, Class: Constructor, options: WrapOptions): Constructor {
  const ownConstructor = Object.getOwnPropertyDescriptor(Class.prototype, 'constructor');
  if (ownConstructor?.value === Class && !ownConstructor.configurable) {
    throw new Error(`class ${options.name} is frozen`);
  }
  const constructed: RecordedFunction = {
    ...member(options, '__init__'),
    kind: 'constructor',
    signature: signatureOf(Class),
    constructs: options.name,
    makes: ofPrototype(Class.prototype, options.name),
  };
  const proxy: Constructor = new Proxy(Class, {
    construct: (target, args, newTarget) => {
      const isOwn = newTarget === proxy || newTarget === Class;
      // The body of a recorded subclass makes objects by the name that it knows itself by: nobody sees those made.
      const isInside = !isOwn && recordedClasses.has(newTarget);
      if (isInside || isSuperCall(target, newTarget)) return Reflect.construct(target, args, newTarget);
      const recorded = isOwn ? constructed : subclassConstructor(constructed, options.name, newTarget);
      return constructRecorded(recorder, recorded, target, args, newTarget);
    },
    get: (target, property, receiver) =>
      Reflect.get(target, property, receiver === proxy ? target : receiver),
    set: (target, property, value, receiver) =>
      Reflect.set(target, property, value, receiver === proxy ? target : receiver),
  });
  noteOriginal(proxy, Class);
  recordedClasses.set(proxy, options);
  recordedClasses.set(Class, options);
  patchMethods(recorder, Class.prototype, options);
  patchStatics(recorder, Class, options);
  if (ownConstructor?.value === Class) redefine(Class.prototype, 'constructor', proxy);
  return proxy;
}

/** A subclass that is not recorded itself: its constructor's own arguments were never seen. */
function subclassConstructor(
  base: RecordedFunction,
  baseName: string,
  newTarget: NewableFunction,
): RecordedFunction {
  const name = nameOf(newTarget);
  return {
    ...base,
    name: `${name}.__init__`,
    constructs: name,
    makes: ofPrototype(newTarget.prototype, name),
    resolve: {
      current: {
        kind: 'unresolved',
        reason: `${name} extends the recorded ${baseName} and is not recorded itself`,
        hint: `record ${name} too: recordable.class(${name})`,
      },
    },
  };
}

function patchMethods(recorder: Recorder, prototype: object, options: WrapOptions): void {
  for (const [property, method] of ownMethods(prototype)) {
    if (property === 'constructor') continue;
    const signature = signatureOf(method);
    const recordedAs = cachedByClass((className, owner) => ({
      ...member({ ...owner, name: className }, property),
      kind: 'method',
      signature,
    }));
    const recordedFor = (self: object | undefined): RecordedFunction => {
      const known = self && recorder.objects.find(self);
      // Called with `super`, or on an object that was not seen made: it goes by the class that has it.
      const isInherited = known !== undefined && Reflect.get(self as object, property) === wrapper;
      if (!isInherited) return recordedAs(options.name, options);
      return recordedAs(known.class, nearestRecorded(self as object) ?? options);
    };
    const wrapper: Callable = new Proxy(method, {
      apply: (target, self, args) => {
        const object = typeof self === 'object' && self !== null ? (self as object) : undefined;
        if (object !== undefined) recorder.objects.claim(object);
        return recorder.run(recordedFor(object), object, args, () => Reflect.apply(target, self, args));
      },
    });
    noteOriginal(wrapper, method);
    redefine(prototype, property, wrapper);
  }
}

function patchStatics(recorder: Recorder, Class: Constructor, options: WrapOptions): void {
  for (const [property, method] of ownMethods(Class)) {
    const signature = signatureOf(method);
    const recordedAs = cachedByClass((_className, owner) => ({
      ...member(owner, property),
      kind: 'static',
      signature,
      makes: (object) => (isInstance(object, Class) ? owner.name : undefined),
    }));
    const wrapper: Callable = new Proxy(method, {
      apply: (target, self, args) => {
        // A subclass that inherits a factory makes objects of its own.
        const owner = (typeof self === 'function' && recordedClasses.get(self)) || options;
        // A static method may read private names of its class, which the proxy does not have.
        const invoke = (): unknown => Reflect.apply(target, originalOf(self), args);
        return recorder.run(recordedAs(owner.name, owner), undefined, args, invoke);
      },
    });
    noteOriginal(wrapper, method);
    redefine(Class, property, wrapper);
  }
}

/** One description for each class that a member is called on. */
function cachedByClass(
  describe: (className: string, owner: WrapOptions) => RecordedFunction,
): (className: string, owner: WrapOptions) => RecordedFunction {
  const known = new Map<string, RecordedFunction>();
  return (className, owner) => {
    let recorded = known.get(className);
    if (recorded === undefined) {
      recorded = describe(className, owner);
      known.set(className, recorded);
    }
    return recorded;
  };
}

function nearestRecorded(object: object): WrapOptions | undefined {
  for (let at = Object.getPrototypeOf(object); at !== null; at = Object.getPrototypeOf(at)) {
    const Class: unknown = Object.getOwnPropertyDescriptor(at, 'constructor')?.value;
    const options = typeof Class === 'function' ? recordedClasses.get(Class) : undefined;
    if (options !== undefined) return options;
  }
  return undefined;
}

function member(options: WrapOptions, property: string): Omit<RecordedFunction, 'kind' | 'signature'> {
  const roles = options.methodRoles?.[property];
  return {
    name: `${options.name}.${property}`,
    module: options.module,
    resolve: options.resolve,
    roleOf: roles === undefined ? undefined : rolesFrom(roles),
  };
}

/** Own methods that can be recorded: no accessors, no symbols, no generators. */
function ownMethods(owner: object): [string, Callable][] {
  const methods: [string, Callable][] = [];
  for (const property of Object.getOwnPropertyNames(owner)) {
    const descriptor = Object.getOwnPropertyDescriptor(owner, property);
    const value: unknown = descriptor?.value;
    if (typeof value !== 'function' || !descriptor?.configurable) continue;
    if (isWrapped(value) || isProxy(value) || isClass(value) || isGenerator(value)) continue;
    methods.push([property, value as Callable]);
  }
  return methods;
}

/** As `instanceof`, which a class may have taken over. */
function isInstance(object: object, Class: Constructor): boolean {
  return !isProxy(object) && Object.prototype.isPrototypeOf.call(Class.prototype, object);
}

function ofPrototype(prototype: object, className: string): (object: object) => string | undefined {
  return (object) =>
    !isProxy(object) && Object.getPrototypeOf(object) === prototype ? className : undefined;
}

/** A class may have a static `name` of its own, of any kind. */
export function nameOf(value: { name: unknown }): string {
  return typeof value.name === 'string' && value.name !== '' ? value.name : 'anonymous';
}

function redefine(owner: object, property: string, value: unknown): void {
  const descriptor = Object.getOwnPropertyDescriptor(owner, property);
  Object.defineProperty(owner, property, { ...descriptor, value });
}
