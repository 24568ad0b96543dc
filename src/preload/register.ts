import Module, { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import * as workerThreads from 'node:worker_threads';
import { ADAPTER_PACKAGES } from '../core/adapters/packages.js';
import { type InstrumentSpec, splitInstrumentSpec } from './instrument-spec.js';
import type { RecorderApi } from './recorder-api.js';

/**
 * Preloaded into every Node process and thread of a recorded program with `--require`. It must stay small and
 * synchronous: it hooks `Module._load`, and loads the recorder at the first module that is to be recorded.
 */

type Load = (request: string, parent: NodeJS.Module | null | undefined, isMain: boolean) => unknown;
interface ModuleInternals {
  _load: Load;
  _resolveFilename(request: string, parent: NodeJS.Module | null | undefined, isMain: boolean): string;
  registerHooks?: (hooks: unknown) => void;
}

const internals = Module as unknown as ModuleInternals;
const requireHere = createRequire(__filename);
const registry = globalThis as unknown as Record<symbol, RecorderApi | undefined>;
const INSTALLED = Symbol.for('fir.register/1');
const PACKAGE = new RegExp(`(?:^|[\\\\/])(${ADAPTER_PACKAGES.join('|')})(?:$|[\\\\/])`);

const { isInternalThread } = workerThreads as { isInternalThread?: boolean };
const isRecording = Number(process.env['FIR_LOGLEVEL'] ?? 0) > 0;
if (isRecording && !isInternalThread && registry[INSTALLED] === undefined) {
  registry[INSTALLED] = {} as RecorderApi;
  install((process.env['FIR_INSTRUMENT'] ?? '').split('\n').filter(Boolean).map(splitInstrumentSpec));
}

function recorder(): RecorderApi {
  requireHere('./recorder.cjs');
  const api = registry[Symbol.for('fir.recorder/1')];
  if (api === undefined) throw new Error('the recorder did not load');
  return api;
}

function install(specs: readonly InstrumentSpec[]): void {
  const load = internals._load;
  internals._load = function (this: unknown, request, parent, isMain) {
    const exports = Reflect.apply(load, this, [request, parent, isMain]) as unknown;
    if (typeof request !== 'string') return exports;
    const adapted = request.includes('onnxruntime') ? PACKAGE.exec(request)?.[1] : undefined;
    // A package that another known one loads for itself (onnxruntime-common) is recorded under that one's name.
    if (adapted !== undefined && !PACKAGE.test(parent?.filename ?? '')) {
      safely(() => hookPackage(adapted, request, parent, exports));
    }
    const spec = specs.length === 0 ? undefined : safely(() => specFor(specs, request, parent));
    return spec === undefined ? exports : (safely(() => hookFile(spec.path, spec.spec, exports)) ?? exports);
  };
  if (specs.some(({ target }) => !target.endsWith('.cjs'))) safely(() => hookEsModules(specs));
}

/** An error in a hook is the recorder's to tell; the program gets what it asked for. */
function safely<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    try {
      recorder().noteError(`hook: ${error instanceof Error ? error.message : String(error)}`);
    } catch {
      // The recorder itself can't be loaded; the summary of the capture says that nothing was recorded.
    }
    return undefined;
  }
}

const hooked = new WeakSet<object>();

function hookPackage(
  name: string,
  request: string,
  parent: NodeJS.Module | null | undefined,
  exports: unknown,
): void {
  if (exports === null || typeof exports !== 'object' || hooked.has(exports)) return;
  hooked.add(exports);
  const path = internals._resolveFilename(request, parent, false);
  recorder().instrumentPackage(name, exports as Record<string, unknown>, versionOf(name, path));
}

function versionOf(name: string, path: string): string | undefined {
  for (let directory = dirname(path); directory !== dirname(directory); directory = dirname(directory)) {
    let manifest: { name?: unknown; version?: unknown };
    try {
      manifest = requireHere(join(directory, 'package.json'));
    } catch {
      continue;
    }
    if (manifest.name === name && typeof manifest.version === 'string') return manifest.version;
  }
  return undefined;
}

function specFor(
  specs: readonly InstrumentSpec[],
  request: string,
  parent: NodeJS.Module | null | undefined,
): { spec: InstrumentSpec; path: string } | undefined {
  for (const spec of specs) {
    // Resolving every request of a program would cost it time: only those that end like the target are.
    const tail = spec.target.replace(/^.*[\\/]/, '').replace(/\.[^.]*$/, '');
    if (request !== spec.target && !request.includes(tail)) continue;
    const path = internals._resolveFilename(request, parent, false);
    if (request === spec.target || path === spec.target) return { spec, path };
  }
  return undefined;
}

const replaced = new Map<string, unknown>();

/** Puts recording stand-ins among a CommonJS file's exports; exports that can't be changed are shadowed by a copy. */
function hookFile(path: string, spec: InstrumentSpec, exports: unknown): unknown {
  const cached = requireHere.cache[path];
  if (cached?.loaded === false) return exports;
  if (replaced.has(path)) return replaced.get(path);
  const api = recorder();
  let result = exports;
  for (const name of spec.exports) {
    if (name === 'default' && typeof exports === 'function') {
      result = api.instrumentExport(path, name, exports);
      continue;
    }
    const current: unknown = (result as Record<string, unknown> | undefined)?.[name];
    if (current === undefined) {
      api.noteError(`--instrument: ${spec.target} has no export ${name}`);
      continue;
    }
    const stand = api.instrumentExport(path, name, current);
    const owner = result as object;
    const descriptor = Object.getOwnPropertyDescriptor(owner, name);
    if (descriptor === undefined || descriptor.configurable || descriptor.writable) {
      Object.defineProperty(owner, name, {
        value: stand,
        writable: true,
        configurable: true,
        enumerable: descriptor?.enumerable ?? true,
      });
    } else {
      result = Object.create(owner, {
        ...Object.getOwnPropertyDescriptors(result as object),
        [name]: { value: stand, writable: true, configurable: true, enumerable: true },
      });
    }
  }
  replaced.set(path, result);
  if (cached !== undefined && result !== exports) cached.exports = result;
  return result;
}

/** In this thread where Node can; older Nodes run module hooks in a thread of their own. */
function hookEsModules(specs: readonly InstrumentSpec[]): void {
  if (typeof internals.registerHooks === 'function') {
    const { createHooks } = requireHere('./esm-hooks.cjs') as {
      createHooks(specs: readonly InstrumentSpec[], recorderPath: string): unknown;
    };
    internals.registerHooks(createHooks(specs, requireHere.resolve('./recorder.cjs')));
  } else {
    Module.register(`file://${encodeURI(join(__dirname, 'esm-loader.mjs'))}`, {
      data: { specs, recorderPath: requireHere.resolve('./recorder.cjs') },
    });
  }
}
