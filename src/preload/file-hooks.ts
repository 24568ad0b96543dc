import { createRequire } from 'node:module';
import { isAbsolute } from 'node:path';
import { types } from 'node:util';
import type { InstrumentSpec } from './instrument-spec.js';
import type { RecorderApi } from './recorder-api.js';

const requireHere = createRequire(__filename);

/** Puts recording stand-ins among the exports of the files and packages that `--instrument` names. */
export class FileHooks {
  readonly #specs: readonly InstrumentSpec[];
  readonly #recorder: () => RecorderApi;

  constructor(specs: readonly InstrumentSpec[], recorder: () => RecorderApi) {
    this.#specs = specs;
    this.#recorder = recorder;
  }

  /** To be called when a CommonJS file has run, before anybody gets its exports. */
  instrumentModule(module: NodeJS.Module, path: string): void {
    const { exports } = module as { exports: unknown };
    if (exports === null || (typeof exports !== 'object' && typeof exports !== 'function')) return;
    const spec = this.#specs.find(({ target }) => target === path || isMainOf(target, path));
    if (spec !== undefined) module.exports = this.#instrument(path, spec, exports);
  }

  /** What `require` is to give for an ES module, where its loading could not be hooked. */
  instrumentRequired(exports: unknown): unknown {
    if (!types.isModuleNamespaceObject(exports)) return exports;
    for (const spec of this.#specs) {
      const module = requireHere.cache[spec.target];
      if (module === undefined || module.exports !== exports) continue;
      module.exports = this.#instrument(spec.target, spec, exports as object);
      return module.exports;
    }
    return exports;
  }

  #instrument(path: string, spec: InstrumentSpec, exports: object): object {
    const api = this.#recorder();
    let result = exports;
    for (const name of spec.exports) {
      if (name === 'default' && typeof exports === 'function') {
        result = api.instrumentExport(path, name, exports) as object;
        continue;
      }
      const current: unknown = Reflect.get(result, name);
      const standIn = api.instrumentExport(path, name, current);
      if (standIn !== current) result = withExport(result, name, standIn);
    }
    return result;
  }
}

/** Whether a file is what requiring a package gives. */
function isMainOf(target: string, path: string): boolean {
  if (isAbsolute(target) || !path.replaceAll('\\', '/').includes(`node_modules/${target}/`)) return false;
  try {
    return createRequire(path).resolve(target) === path;
  } catch {
    // A package that can only be imported.
    return false;
  }
}

/** Where exports can't be changed (getters of compiled modules, a namespace), importers get a copy that shows the rest. */
function withExport(exports: object, name: string, value: unknown): object {
  const property = { value, writable: true, configurable: true, enumerable: true };
  const current = Object.getOwnPropertyDescriptor(exports, name);
  const isNamespace = types.isModuleNamespaceObject(exports);
  if (!isNamespace && (current === undefined ? Object.isExtensible(exports) : current.configurable)) {
    Object.defineProperty(exports, name, { ...property, enumerable: current?.enumerable ?? true });
    return exports;
  }
  if (!isNamespace && current?.writable) {
    Object.defineProperty(exports, name, { value });
    return exports;
  }
  if (typeof exports === 'function') throw new Error(`the export ${name} of a function can't be replaced`);
  const rest: PropertyDescriptorMap = Object.create(null);
  for (const key of Reflect.ownKeys(exports)) {
    const own = Object.getOwnPropertyDescriptor(exports, key);
    // The mark of a compiled ES module is looked for as a plain value.
    const isMark = key === '__esModule' && own !== undefined;
    rest[key as string] = isMark
      ? own
      : { get: () => Reflect.get(exports, key), enumerable: own?.enumerable ?? true, configurable: true };
  }
  return Object.create(Object.getPrototypeOf(exports), { ...rest, [name]: property });
}
