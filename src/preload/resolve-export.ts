import { readFileSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { relative, sep } from 'node:path';
import type { Resolution } from '../core/model/call.js';
import { type CallerFile, packageRootOf } from './caller.js';

/** A function whose place among its module's exports is being looked for. */
export interface ExportSearch {
  caller: CallerFile | undefined;
  /** The wrapper and the original: either may stand among the exports. */
  values: readonly unknown[];
  /** The function's own name: where it is likely to be found. */
  name: string;
  found(resolution: Resolution): void;
}

type Unresolved = Extract<Resolution, { kind: 'unresolved' }>;

const NOT_EXPORTED: Unresolved = {
  kind: 'unresolved',
  reason: 'not exported (closure or private)',
  hint: 'export it from a module of its own, or give a stand-in with --target',
};
const ENTRY_FILE: Unresolved = {
  kind: 'unresolved',
  reason: 'importing it would run the program',
  hint: 'move it to a module of its own, or give a stand-in with --target',
};

const requireFrom = createRequire(__filename);

/**
 * Finds the export whose value is the function, off the call's path: a CommonJS file by its cached exports, an ES
 * module by an `import()` of what is loaded already, never awaited. Gives a first answer at once: what the name says.
 */
export function searchExport(search: ExportSearch): Resolution {
  const { caller } = search;
  if (caller === undefined) return { ...NOT_EXPORTED, reason: 'defined in evaluated code, not in a file' };
  if (isEntryFile(caller.path)) return ENTRY_FILE;
  const place = placeOf(caller.path);
  if (caller.specifier.startsWith('file:')) {
    import(caller.specifier).then(
      (namespace: Record<string, unknown>) => search.found(resolutionIn(namespace, search.values, place)),
      () => search.found(NOT_EXPORTED),
    );
  } else {
    setImmediate(() => search.found(cachedResolution(caller.path, search.values, place) ?? NOT_EXPORTED));
    const now = cachedResolution(caller.path, search.values, place);
    if (now !== undefined) return now;
  }
  return { ...place, export: search.name, ...(place.kind === 'module' ? { tentative: true as const } : {}) };
}

function cachedResolution(path: string, values: readonly unknown[], place: Placed): Resolution | undefined {
  const cached = requireFrom.cache[path];
  const exports: unknown = cached?.exports;
  if (exports === null || (typeof exports !== 'object' && typeof exports !== 'function')) return undefined;
  const resolution = resolutionIn(exports as Record<string, unknown>, values, place);
  return resolution.kind === 'unresolved' ? undefined : resolution;
}

type Placed =
  | Omit<Extract<Resolution, { kind: 'module' }>, 'export' | 'tentative'>
  | Omit<Extract<Resolution, { kind: 'package' }>, 'export'>;

function resolutionIn(
  exports: Record<string, unknown>,
  values: readonly unknown[],
  place: Placed,
): Resolution {
  if (values.includes(exports)) return { ...place, export: 'default' };
  const fallback = exportedValue(exports, 'default');
  const containers =
    fallback !== null && typeof fallback === 'object'
      ? [exports, fallback as Record<string, unknown>]
      : [exports];
  for (const container of containers) {
    for (const name of Object.keys(container)) {
      if (values.includes(exportedValue(container, name))) return { ...place, export: name };
    }
  }
  return NOT_EXPORTED;
}

/** Getters are read where they are the bindings of a compiled ES module: any other one may load or compute something. */
function exportedValue(exports: Record<string, unknown>, name: string): unknown {
  const { get, value } = Object.getOwnPropertyDescriptor(exports, name) ?? {};
  if (get === undefined) return value;
  if (Object.getOwnPropertyDescriptor(exports, '__esModule')?.value !== true) return undefined;
  try {
    return exports[name];
  } catch {
    // A binding that is not initialised yet.
    return undefined;
  }
}

/** Where a file stands: in a package under node_modules, or in the program's own tree. */
export function placeOf(path: string): Placed {
  const root = packageRootOf(path);
  const module = relative(root, path).split(sep).join('/');
  const parts = root.split(sep);
  const at = parts.lastIndexOf('node_modules');
  if (at < 0) return { kind: 'module', root, module };
  const version = packageVersion(root);
  return {
    kind: 'package',
    package: parts.slice(at + 1).join('/'),
    ...(version === undefined ? {} : { version }),
    subpath: module,
  };
}

function packageVersion(root: string): string | undefined {
  try {
    const version: unknown = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')).version;
    return typeof version === 'string' ? version : undefined;
  } catch {
    return undefined;
  }
}

/** `process.argv[1]` may lack the extension, and an ES module has no `require.main`. */
function isEntryFile(path: string): boolean {
  return [process.argv[1], requireFrom.main?.filename].some(
    (entry) => entry !== undefined && realPath(entry) === realPath(path),
  );
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
