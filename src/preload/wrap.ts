import { isProxy } from 'node:util/types';
import type { Resolution } from '../core/model/call.js';
import type { TensorRole } from '../core/model/tensor.js';
import { type RecordedFunction, rolesFrom, signatureOf } from './recorded-function.js';
import type { Recorder } from './recorder-core.js';

type Callable = (...args: unknown[]) => unknown;
type Constructor = new (...args: unknown[]) => object;

/** What is the same for a function, or for all members of a class. */
export interface WrapOptions {
  name: string;
  module: string;
  resolve: { current: Resolution | undefined };
  roles?: Readonly<Record<string, TensorRole>>;
  /** Roles by method name, for classes. */
  methodRoles?: Readonly<Record<string, Readonly<Record<string, TensorRole>>>>;
}

/** Our wrappers, to what they wrap: nothing is wrapped twice, and a static method gets the class itself as `this`. */
const originals = new WeakMap<object, object>();

export function originalOf<T>(value: T): T {
  return value !== null && (typeof value === 'object' || typeof value === 'function')
    ? ((originals.get(value as object) as T | undefined) ?? value)
    : value;
}

export function isWrapped(value: unknown): boolean {
  return typeof value === 'function' && originals.has(value);
}

/** A function that records itself and looks the same in every way: a proxy keeps name, length and properties. */
export function wrapFunction(recorder: Recorder, fn: Callable, options: WrapOptions): Callable {
  const recorded: RecordedFunction = {
    name: options.name,
    module: options.module,
    kind: 'function',
    signature: signatureOf(fn),
    resolve: options.resolve,
    roleOf: options.roles === undefined ? undefined : rolesFrom(options.roles),
  };
  const wrapper = new Proxy(fn, {
    apply: (target, self, args) =>
      recorder.run(recorded, undefined, args, () => Reflect.apply(target, self, args)),
  });
  originals.set(wrapper, fn);
  return wrapper;
}

/**
 * A class whose constructor, methods and static methods are recorded. Methods are patched in place, so that objects
 * made from inside the class record too; the constructor through a proxy.
 */
export function wrapClass(recorder: Recorder, Class: Constructor, options: WrapOptions): Constructor {
  const className = options.name;
  const constructed: RecordedFunction = {
    ...member(options, '__init__'),
    kind: 'constructor',
    signature: signatureOf(Class),
    constructs: className,
  };
  const proxy: Constructor = new Proxy(Class, {
    construct: (target, args, newTarget) => {
      if (activeConstructions.includes(newTarget)) return Reflect.construct(target, args, newTarget);
      const isOwn = newTarget === proxy || newTarget === Class;
      const recorded = isOwn ? constructed : subclassConstructor(constructed, className, newTarget);
      return construct(recorder, recorded, target, args, newTarget);
    },
    get: (target, property, receiver) =>
      Reflect.get(target, property, receiver === proxy ? target : receiver),
    set: (target, property, value, receiver) =>
      Reflect.set(target, property, value, receiver === proxy ? target : receiver),
  });
  originals.set(proxy, Class);
  patchMethods(recorder, Class, options);
  patchStatics(recorder, Class, options);
  if (Class.prototype.constructor === Class) {
    Object.defineProperty(Class.prototype, 'constructor', {
      value: proxy,
      writable: true,
      configurable: true,
      enumerable: false,
    });
  }
  return proxy;
}

/** Classes whose constructor is being recorded right now: a base constructor run by `super()` makes no object of its own. */
const activeConstructions: unknown[] = [];

function construct(
  recorder: Recorder,
  recorded: RecordedFunction,
  target: Constructor,
  args: unknown[],
  newTarget: NewableFunction,
): object {
  return recorder.run(recorded, undefined, args, () => {
    activeConstructions.push(newTarget);
    try {
      return Reflect.construct(target, args, newTarget);
    } finally {
      activeConstructions.pop();
    }
  }) as object;
}

/** A subclass that is not recorded itself: its constructor's own arguments were never seen. */
function subclassConstructor(
  base: RecordedFunction,
  baseName: string,
  newTarget: NewableFunction,
): RecordedFunction {
  const name = newTarget.name || 'anonymous';
  return {
    ...base,
    name: `${name}.__init__`,
    constructs: name,
    resolve: {
      current: {
        kind: 'unresolved',
        reason: `${name} extends the recorded ${baseName} and is not recorded itself`,
        hint: `record ${name} too: recordable.class(${name})`,
      },
    },
  };
}

function patchMethods(recorder: Recorder, Class: Constructor, options: WrapOptions): void {
  const { prototype } = Class;
  for (const [property, method] of ownMethods(prototype)) {
    if (property === 'constructor') continue;
    const perClass = new Map<string, RecordedFunction>();
    const recordedFor = (self: unknown): RecordedFunction => {
      const known = self !== null && typeof self === 'object' ? recorder.objects.find(self) : undefined;
      const overridden = known !== undefined && (self as Record<string, unknown>)[property] !== wrapper;
      const className = known === undefined || overridden ? options.name : known.class;
      const cached = perClass.get(className);
      if (cached !== undefined) return cached;
      const recorded: RecordedFunction = {
        ...member({ ...options, name: className }, property),
        kind: 'method',
        signature: signatureOf(method),
      };
      perClass.set(className, recorded);
      return recorded;
    };
    const wrapper: Callable = new Proxy(method, {
      apply: (target, self, args) => {
        const isObject = self !== null && typeof self === 'object';
        return recorder.run(recordedFor(self), isObject ? self : undefined, args, () =>
          Reflect.apply(target, self, args),
        );
      },
    });
    originals.set(wrapper, method);
    redefine(prototype, property, wrapper);
  }
}

function patchStatics(recorder: Recorder, Class: Constructor, options: WrapOptions): void {
  for (const [property, method] of ownMethods(Class)) {
    const recorded: RecordedFunction = {
      ...member(options, property),
      kind: 'static',
      signature: signatureOf(method),
      madeBy: (result) => (result instanceof Class ? options.name : undefined),
    };
    const wrapper: Callable = new Proxy(method, {
      // A static method may read private names of its class, which the proxy does not have.
      apply: (target, self, args) =>
        recorder.run(recorded, undefined, args, () => Reflect.apply(target, originalOf(self), args)),
    });
    originals.set(wrapper, method);
    redefine(Class, property, wrapper);
  }
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

/** Own methods that can be recorded: no accessors, no symbols, no generators (their calls end elsewhere). */
function ownMethods(owner: object): [string, Callable][] {
  const methods: [string, Callable][] = [];
  for (const property of Object.getOwnPropertyNames(owner)) {
    const descriptor = Object.getOwnPropertyDescriptor(owner, property);
    const value: unknown = descriptor?.value;
    if (typeof value !== 'function' || !descriptor?.configurable || isWrapped(value) || isProxy(value))
      continue;
    if (isClass(value) || isGenerator(value)) continue;
    methods.push([property, value as Callable]);
  }
  return methods;
}

export function isClass(value: unknown): value is Constructor {
  return typeof value === 'function' && /^class\b/.test(Function.prototype.toString.call(value));
}

export function isGenerator(value: unknown): boolean {
  const tag = Object.prototype.toString.call(value);
  return tag === '[object GeneratorFunction]' || tag === '[object AsyncGeneratorFunction]';
}

function redefine(owner: object, property: string, value: Callable): void {
  const descriptor = Object.getOwnPropertyDescriptor(owner, property);
  Object.defineProperty(owner, property, { ...descriptor, value });
}
