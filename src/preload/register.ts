import { readFileSync } from 'node:fs';
import Module, { createRequire } from 'node:module';
import { dirname, isAbsolute, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as workerThreads from 'node:worker_threads';
import { ADAPTER_PACKAGES } from '../core/adapters/packages.js';
import { messageOf } from '../core/errors.js';
import { FileHooks } from './file-hooks.js';
import { type InstrumentSpec, splitInstrumentSpec } from './instrument-spec.js';
import { isEsModule } from './module-kind.js';
import type { RecorderApi } from './recorder-api.js';

/**
 * Preloaded into every Node process and thread of a recorded program with `--require`. It must stay small and
 * synchronous: it hooks `Module._load`, and loads the recorder at the first module that is to be recorded.
 */

type Parent = NodeJS.Module | null | undefined;
interface ModuleInternals {
  prototype: { _compile(this: NodeJS.Module, content: string, path: string, ...more: unknown[]): unknown };
  _load(request: string, parent: Parent, isMain: boolean): unknown;
  _resolveFilename(request: string, parent: Parent, isMain: boolean): string;
  registerHooks?: (hooks: unknown) => void;
}

const internals = Module as unknown as ModuleInternals;
const requireHere = createRequire(__filename);
const registry = globalThis as unknown as Record<symbol, RecorderApi | (() => RecorderApi) | undefined>;
const RECORDER = Symbol.for('fir.recorder/1');
const INSTALLED = Symbol.for('fir.register/1');
const PACKAGES: ReadonlySet<string> = new Set(ADAPTER_PACKAGES);

const isRecording = Number(process.env['FIR_LOGLEVEL'] ?? 0) > 0;
if (isRecording && !isLoaderThread() && registry[INSTALLED] === undefined) {
  // A copy of the package that a bundler put into the program's own file finds the recorder through this.
  registry[INSTALLED] = recorder;
  install((process.env['FIR_INSTRUMENT'] ?? '').split('\n').filter(Boolean).map(splitInstrumentSpec));
}

/** Node's own thread for module hooks, which runs no module of the program. Node 20 can't tell: no parent talks to it. */
function isLoaderThread(): boolean {
  const { isMainThread, parentPort } = workerThreads;
  const { isInternalThread } = workerThreads as { isInternalThread?: boolean };
  return isInternalThread ?? (!isMainThread && parentPort === null);
}

function recorder(): RecorderApi {
  requireHere('./recorder.cjs');
  const api = registry[RECORDER];
  if (api === undefined || typeof api === 'function') throw new Error('the recorder did not load');
  return api;
}

function install(specs: readonly InstrumentSpec[]): void {
  const load = internals._load;
  const fileHooks = specs.length === 0 ? undefined : hookFiles(specs);
  internals._load = function (this: unknown, request, parent, isMain) {
    const exports = Reflect.apply(load, this, [request, parent, isMain]) as unknown;
    if (typeof request === 'string' && request.includes('onnxruntime')) {
      safely(() => hookPackage(request, parent, exports));
    }
    return fileHooks === undefined
      ? exports
      : (safely(() => fileHooks.instrumentRequired(exports)) ?? exports);
  };
}

function hookFiles(specs: readonly InstrumentSpec[]): FileHooks {
  const fileHooks = new FileHooks(specs, recorder);
  const { prototype } = internals;
  const compile = prototype._compile;
  // Not after loading: by then Node has taken the exports for those who import the file.
  prototype._compile = function (content, path, ...more) {
    const result = Reflect.apply(compile, this, [content, path, ...more]) as unknown;
    safely(() => fileHooks.instrumentModule(this, path));
    return result;
  };
  const esModules = specs.filter(({ target }) => !isAbsolute(target) || isEsModule(target));
  if (esModules.length > 0) safely(() => hookEsModules(esModules));
  return fileHooks;
}

/** An error in a hook is the recorder's to tell; the program gets what it asked for. */
function safely<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    try {
      recorder().noteError(`hook: ${messageOf(error)}`);
    } catch {
      // The recorder itself can't be loaded; the summary of the capture says that nothing was recorded.
    }
    return undefined;
  }
}

const hooked = new WeakSet<object>();

/** A package is known by its manifest: directories of that name may belong to anybody. */
function hookPackage(request: string, parent: Parent, loaded: unknown): void {
  if (isHooked(loaded)) return;
  const path = internals._resolveFilename(request, parent, false);
  const manifest = isAbsolute(path) ? manifestAbove(path) : undefined;
  if (manifest === undefined || !PACKAGES.has(manifest.name)) return;
  // Module hooks that give sources have Node load all files of a package but its addon past this one.
  const exports: unknown = path.endsWith('.node') ? requireHere.cache[manifest.entry]?.exports : loaded;
  if (exports === null || typeof exports !== 'object' || isHooked(exports)) return;
  hooked.add(exports);
  recorder().instrumentPackage(manifest.name, exports as Record<string, unknown>, manifest.version);
}

function isHooked(exports: unknown): boolean {
  return typeof exports === 'object' && exports !== null && hooked.has(exports);
}

interface Manifest {
  name: string;
  version: string | undefined;
  /** The file that the package's name stands for. */
  entry: string;
}

/** Of the nearest package.json that has a name: one without only says which kind of modules are below it. */
function manifestAbove(path: string): Manifest | undefined {
  for (let directory = dirname(path); directory !== dirname(directory); directory = dirname(directory)) {
    let manifest: { name?: unknown; version?: unknown; main?: unknown };
    try {
      manifest = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
    } catch {
      continue;
    }
    const { name, version, main } = manifest;
    if (typeof name !== 'string') continue;
    const entry = join(directory, typeof main === 'string' ? main : 'index.js');
    return { name, version: typeof version === 'string' ? version : undefined, entry };
  }
  return undefined;
}

/** In this thread where Node can; older Nodes run module hooks in a thread of their own. */
function hookEsModules(specs: readonly InstrumentSpec[]): void {
  const recorderPath = requireHere.resolve('./recorder.cjs');
  if (typeof internals.registerHooks === 'function') {
    const { createHooks } = requireHere('./esm-hooks.cjs') as {
      createHooks(specs: readonly InstrumentSpec[], recorderPath: string): unknown;
    };
    internals.registerHooks(createHooks(specs, recorderPath));
  } else {
    Module.register(pathToFileURL(join(__dirname, 'esm-loader.mjs')), { data: { specs, recorderPath } });
  }
}
