import { basename } from 'node:path';
import type { Resolution } from '../core/model/call.js';
import { type CallerFile, callerFile } from './caller.js';
import type { HeaderFile } from './process-header.js';
import type { RecordableClassOptions, RecordableOptions } from './recorder-api.js';
import type { Recorder } from './recorder-core.js';
import { placeOf, searchExport } from './resolve-export.js';
import {
  type Callable,
  type Constructor,
  isClass,
  isGenerator,
  isWrapped,
  type WrapOptions,
  wrapFunction,
} from './wrap.js';
import { nameOf, wrapClass } from './wrap-class.js';

/** Makes functions and classes of the program record. What can't be made to (a frozen class, say) stays what it was. */
export class Recordables {
  readonly #recorder: Recorder;
  readonly #header: HeaderFile;
  /** One wrapper a function, in however many ways its module is loaded. */
  readonly #instrumented = new WeakMap<object, unknown>();

  constructor(recorder: Recorder, header: HeaderFile) {
    this.#recorder = recorder;
    this.#header = header;
  }

  fromFunction<F>(fn: F, options: RecordableOptions): F {
    if (typeof fn !== 'function' || isWrapped(fn) || isGenerator(fn)) return fn;
    if (isClass(fn)) return this.fromClass(fn, options);
    return this.#orAsItWas(fn, () => {
      const caller = callerFile(__filename);
      const wrap = wrapOptions(fn, options, caller);
      const wrapper = wrapFunction(this.#recorder, fn as unknown as Callable, wrap);
      this.#resolve(wrap, options.module, [wrapper, fn], caller);
      return wrapper;
    });
  }

  fromClass<C>(Class: C, options: RecordableClassOptions): C {
    if (typeof Class !== 'function' || isWrapped(Class)) return Class;
    return this.#orAsItWas(Class, () => {
      const caller = callerFile(__filename);
      const wrap = wrapOptions(Class, options, caller);
      if (options.methodRoles !== undefined) wrap.methodRoles = options.methodRoles;
      const wrapper = wrapClass(this.#recorder, Class as unknown as Constructor, wrap);
      this.#resolve(wrap, options.module, [wrapper, Class], caller);
      return wrapper;
    });
  }

  /** The recording stand-in for one export of a file. */
  fromExport(path: string, exportName: string, value: unknown): unknown {
    if (typeof value !== 'function') {
      this.#recorder.noteError(`--instrument: ${path} exports no function ${exportName}`);
      return value;
    }
    if (isWrapped(value) || isGenerator(value)) return value;
    const known = this.#instrumented.get(value);
    if (known !== undefined) return known;
    const wrapper = this.#orAsItWas(value, () => this.#instrument(path, exportName, value as Callable));
    this.#instrumented.set(value, wrapper);
    return wrapper;
  }

  #instrument(path: string, exportName: string, value: Callable): unknown {
    const place = placeOf(path);
    const isUnnamed = exportName === 'default' && ['', 'default'].includes(value.name);
    const fileName = basename(path).replace(/\..*$/, '');
    const shown = exportName === 'default' ? nameOf(value) : exportName;
    const wrap: WrapOptions = {
      name: isUnnamed ? fileName : shown,
      module: place.kind === 'package' ? place.package : place.module,
      resolve: { current: { ...place, export: exportName } },
    };
    this.#header.addHooked(`${wrap.module}#${exportName}`, undefined);
    return isClass(value)
      ? wrapClass(this.#recorder, value, wrap)
      : wrapFunction(this.#recorder, value, wrap);
  }

  #orAsItWas<T>(value: T, wrap: () => unknown): T {
    return (this.#recorder.guard('recordable', wrap) as T | undefined) ?? value;
  }

  /** Looks for the function among its module's exports; what is found reaches the header, and the records from then on. */
  #resolve(
    { name, resolve }: WrapOptions,
    module: string | undefined,
    values: readonly unknown[],
    caller: CallerFile | undefined,
  ): void {
    const settle = (resolution: Resolution): void => {
      resolve.current = resolution;
      // Nobody is there to catch what is thrown later on.
      this.#recorder.guard('header', () => this.#header.addFunction(name, resolution));
    };
    if (module !== undefined) settle({ ...placeOf(module), export: name });
    else settle(searchExport({ caller, values, name, found: settle }));
  }
}

function wrapOptions(
  value: { name: unknown },
  options: RecordableOptions,
  caller: CallerFile | undefined,
): WrapOptions {
  return {
    name: options.name ?? nameOf(value),
    module: options.module ?? moduleNameOf(caller),
    resolve: { current: undefined },
    ...(options.roles === undefined ? {} : { roles: options.roles }),
  };
}

function moduleNameOf(caller: CallerFile | undefined): string {
  if (caller === undefined) return '<evaluated>';
  const place = placeOf(caller.path);
  return place.kind === 'package' ? place.package : place.module;
}
