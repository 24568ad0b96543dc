import { createRequire } from 'node:module';
import { basename, dirname } from 'node:path';
import { ADAPTERS } from '../core/adapters/index.js';
import type { Resolution } from '../core/model/call.js';
import { VERSION } from '../core/version.js';
import { type CallerFile, callerFile } from './caller.js';
import { splitInstrumentSpec } from './instrument-spec.js';
import type { CallLog } from './log.js';
import { HeaderFile } from './process-header.js';
import type { RecordableClassOptions, RecordableOptions, RecorderApi } from './recorder-api.js';
import { Recorder } from './recorder-core.js';
import { placeOf, searchExport } from './resolve-export.js';
import { settingsFrom } from './settings.js';
import {
  isClass,
  isGenerator,
  isWrapped,
  originalOf,
  type WrapOptions,
  wrapClass,
  wrapFunction,
} from './wrap.js';
import { wrapMember } from './wrap-member.js';

type Callable = (...args: unknown[]) => unknown;
type Constructor = new (...args: unknown[]) => object;

const requireFrom = createRequire(__filename);
/** Our bundles: frames in them are not the caller. */
const ownDirectory = dirname(dirname(__filename));

const REGISTRY_KEY = Symbol.for('fir.recorder/1');
const registry = globalThis as unknown as Record<symbol, RecorderApi | undefined>;

/** The recorder of this thread: one, however many copies of this file are loaded. */
registry[REGISTRY_KEY] ??= createRecorder();

function createRecorder(): RecorderApi {
  const settings = settingsFrom(process.env);
  const header = new HeaderFile(settings, process.env['FIR_USER_NODE_OPTIONS'], VERSION);
  let log: CallLog | undefined;
  const recorder = new Recorder(settings, header, () => {
    log ??= loadLog(settings.logDest);
    return log;
  });
  process.on('exit', () => {
    try {
      header.end();
    } catch {
      // A disk that is full or gone must not change how the program ends.
    }
  });

  /** Looks the function up among its module's exports; what it finds reaches the header, and the records from then on. */
  const resolveLater = (
    resolve: { current: Resolution | undefined },
    name: string,
    exportName: string,
    values: readonly unknown[],
    caller: CallerFile | undefined,
  ): void => {
    const settle = (resolution: Resolution): void => {
      resolve.current = resolution;
      header.addFunction(name, resolution);
    };
    settle(searchExport({ caller, values, name: exportName, found: settle }));
  };

  const optionsFor = (
    value: Callable | Constructor,
    options: RecordableOptions,
  ): {
    wrap: WrapOptions;
    finish(wrapper: unknown): void;
  } => {
    const caller = callerFile((path) => path.startsWith(ownDirectory));
    const exportName = options.name ?? value.name;
    const name = options.name ?? (value.name || 'anonymous');
    const resolve: { current: Resolution | undefined } = { current: undefined };
    const wrap: WrapOptions = {
      name,
      module: options.module ?? moduleNameOf(caller),
      resolve,
      ...(options.roles === undefined ? {} : { roles: options.roles }),
    };
    const finish = (wrapper: unknown): void => {
      if (options.module !== undefined) {
        resolve.current = { ...placeOf(options.module), export: exportName };
        header.addFunction(name, resolve.current);
      } else resolveLater(resolve, name, exportName, [wrapper, value], caller);
    };
    return { wrap, finish };
  };

  return {
    recordable: (fn, options = {}) => {
      if (typeof fn !== 'function' || isWrapped(fn) || isGenerator(fn)) return fn;
      if (isClass(fn)) return registry[REGISTRY_KEY]?.recordableClass(fn as never, options) ?? fn;
      const { wrap, finish } = optionsFor(fn as unknown as Callable, options);
      const wrapper = wrapFunction(recorder, fn as unknown as Callable, wrap);
      finish(wrapper);
      return wrapper as unknown as typeof fn;
    },
    recordableClass: (Class, options: RecordableClassOptions = {}) => {
      if (typeof Class !== 'function' || isWrapped(Class)) return Class;
      const { wrap, finish } = optionsFor(Class as unknown as Constructor, options);
      const wrapper = wrapClass(recorder, Class as unknown as Constructor, {
        ...wrap,
        ...(options.methodRoles === undefined ? {} : { methodRoles: options.methodRoles }),
      });
      finish(wrapper);
      return wrapper as unknown as typeof Class;
    },
    instrumentPackage: (packageName, exports, version) => {
      const adapter = ADAPTERS.find(({ packages }) => packages.includes(packageName));
      if (adapter === undefined) return;
      adapter.instrument(
        packageName,
        exports,
        {
          wrapMember: (owner, property, member, origin) =>
            wrapMember(recorder, owner, property, member, origin),
        },
        version,
      );
      header.addHooked(packageName, version);
    },
    instrumentExport: (path, exportName, value) => {
      if (typeof value !== 'function' || isWrapped(value) || isGenerator(value)) return value;
      const place = placeOf(path);
      const resolution: Resolution = { ...place, export: exportName };
      const shown = exportName === 'default' ? value.name || basename(path).replace(/\..*$/, '') : exportName;
      const options: WrapOptions = {
        name: shown,
        module: place.kind === 'package' ? place.package : place.module,
        resolve: { current: resolution },
      };
      header.addHooked(`${options.module}#${exportName}`, undefined);
      return isClass(value)
        ? wrapClass(recorder, value, options)
        : wrapFunction(recorder, value as Callable, options);
    },
    instrumentSpecs: () => settings.instrument.map(splitInstrumentSpec),
    noteError: (message) => recorder.noteError(message),
    originalOf,
  };
}

function moduleNameOf(caller: CallerFile | undefined): string {
  if (caller === undefined) return '<evaluated>';
  const place = placeOf(caller.path);
  return place.kind === 'package' ? place.package : place.module;
}

function loadLog(destination: string): CallLog {
  const { createLog } = requireFrom('./log.cjs') as { createLog(destination: string): CallLog };
  return createLog(destination);
}
