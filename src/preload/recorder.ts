import { createRequire } from 'node:module';
import { basename } from 'node:path';
import { ADAPTERS } from '../core/adapters/index.js';
import type { Resolution } from '../core/model/call.js';
import { VERSION } from '../core/version.js';
import { type CallerFile, callerFile } from './caller.js';
import type { CallLog } from './log.js';
import { HeaderFile } from './process-header.js';
import type { RecordableClassOptions, RecordableOptions, RecorderApi } from './recorder-api.js';
import { Recorder } from './recorder-core.js';
import { placeOf, searchExport } from './resolve-export.js';
import { settingsFrom } from './settings.js';
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
import { wrapMember } from './wrap-member.js';

const requireFrom = createRequire(__filename);

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
    values: readonly unknown[],
    caller: CallerFile | undefined,
  ): void => {
    const settle = (resolution: Resolution): void => {
      resolve.current = resolution;
      // Nobody is there to catch what is thrown later on.
      recorder.guard('header', () => header.addFunction(name, resolution));
    };
    settle(searchExport({ caller, values, name, found: settle }));
  };

  const optionsFor = (
    value: Callable | Constructor,
    options: RecordableOptions,
  ): {
    wrap: WrapOptions;
    finish(wrapper: unknown): void;
  } => {
    const caller = callerFile(__filename);
    const name = options.name ?? nameOf(value);
    const resolve: { current: Resolution | undefined } = { current: undefined };
    const wrap: WrapOptions = {
      name,
      module: options.module ?? moduleNameOf(caller),
      resolve,
      ...(options.roles === undefined ? {} : { roles: options.roles }),
    };
    const finish = (wrapper: unknown): void => {
      if (options.module !== undefined) {
        resolve.current = { ...placeOf(options.module), export: name };
        header.addFunction(name, resolve.current);
      } else resolveLater(resolve, name, [wrapper, value], caller);
    };
    return { wrap, finish };
  };

  const recordFunction = (fn: Callable, options: RecordableOptions): Callable => {
    const { wrap, finish } = optionsFor(fn, options);
    const wrapper = wrapFunction(recorder, fn, wrap);
    finish(wrapper);
    return wrapper;
  };

  const recordClass = (Class: Constructor, options: RecordableClassOptions): Constructor => {
    const { wrap, finish } = optionsFor(Class, options);
    const { methodRoles } = options;
    const wrapper = wrapClass(recorder, Class, {
      ...wrap,
      ...(methodRoles === undefined ? {} : { methodRoles }),
    });
    finish(wrapper);
    return wrapper;
  };

  /** What can't be wrapped (a frozen class, say) stays what it was. */
  const orAsItWas = <T>(value: T, wrap: () => unknown): T =>
    (recorder.guard('recordable', wrap) as T | undefined) ?? value;

  return {
    recordable: (fn, options = {}) => {
      if (typeof fn !== 'function' || isWrapped(fn) || isGenerator(fn)) return fn;
      return orAsItWas(fn, () =>
        isClass(fn) ? recordClass(fn, options) : recordFunction(fn as unknown as Callable, options),
      );
    },
    recordableClass: (Class, options = {}) => {
      if (typeof Class !== 'function' || isWrapped(Class)) return Class;
      return orAsItWas(Class, () => recordClass(Class as unknown as Constructor, options));
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
      if (typeof value !== 'function') {
        recorder.noteError(`--instrument: ${path} exports no function ${exportName}`);
        return value;
      }
      if (isWrapped(value) || isGenerator(value)) return value;
      const place = placeOf(path);
      const resolution: Resolution = { ...place, export: exportName };
      const isUnnamed = exportName === 'default' && ['', 'default'].includes(value.name);
      const fileName = basename(path).replace(/\..*$/, '');
      const shown = exportName === 'default' ? nameOf(value) : exportName;
      const options: WrapOptions = {
        name: isUnnamed ? fileName : shown,
        module: place.kind === 'package' ? place.package : place.module,
        resolve: { current: resolution },
      };
      header.addHooked(`${options.module}#${exportName}`, undefined);
      return isClass(value)
        ? wrapClass(recorder, value, options)
        : wrapFunction(recorder, value as Callable, options);
    },
    noteError: (message) => recorder.noteError(message),
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
