import type { Resolution } from '../core/model/call.js';
import type { TensorRole } from '../core/model/tensor.js';
import { type RecordedFunction, readsThis, rolesFrom, signatureOf } from './recorded-function.js';
import type { Recorder } from './recorder-core.js';

export type Callable = (...args: unknown[]) => unknown;
export type Constructor = new (...args: unknown[]) => object;

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

export function noteOriginal(wrapper: object, original: object): void {
  originals.set(wrapper, original);
}

export function originalOf(value: unknown): unknown {
  return (typeof value === 'function' && originals.get(value)) || value;
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
  const problem = 'it reads `this`, which was an object that is not recorded';
  const recordedOnObject = readsThis(fn) ? { ...recorded, problem } : recorded;
  const wrapper = new Proxy(fn, {
    apply: (target, self, args) => {
      const isPlain = self === undefined || self === null || self === globalThis;
      const called = isPlain ? recorded : recordedOnObject;
      return recorder.run(called, undefined, args, () => Reflect.apply(target, self, args));
    },
  });
  noteOriginal(wrapper, fn);
  return wrapper;
}

export function isClass(value: unknown): value is Constructor {
  return typeof value === 'function' && /^class\b/.test(Function.prototype.toString.call(value));
}

/** Their calls return at once and end elsewhere, or never. */
export function isGenerator(value: unknown): boolean {
  const tag = Object.prototype.toString.call(value);
  return tag === '[object GeneratorFunction]' || tag === '[object AsyncGeneratorFunction]';
}
