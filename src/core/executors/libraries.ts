import type { Adapter, AdapterReplay } from '../adapters/contract.js';
import { ADAPTERS } from '../adapters/index.js';
import { FirError } from '../errors.js';
import type { ExecutorTask } from './contract.js';
import { importPackage } from './import-package.js';

type LibraryTask = Pick<ExecutorTask, 'record' | 'base' | 'mapPath'>;

/** Loads the library that an adapter knows: one of its own packages, whatever the record says. */
export function openLibrary(adapter: Adapter, task: LibraryTask): Promise<AdapterReplay> {
  return adapter.openReplay(task.record, {
    importPackage: async (name) => {
      if (!adapter.packages.includes(name)) {
        throw new FirError('NOT_ALLOWED', `${name} is no package of adapter '${adapter.name}'`);
      }
      return importPackage(name, task.base);
    },
    mapPath: (path) => task.mapPath(path),
  });
}

/** The libraries whose tensor classes are among these: `onnxruntime.Tensor` is the onnxruntime adapter's. */
export function openLibrariesOf(hosts: Iterable<string>, task: LibraryTask): Promise<AdapterReplay[]> {
  const prefixes = new Set([...hosts].map((host) => host.slice(0, host.indexOf('.') + 1)));
  const adapters = ADAPTERS.filter(({ name }) => prefixes.has(`${name}.`));
  return Promise.all(adapters.map((adapter) => openLibrary(adapter, task)));
}
