import { existsSync } from 'node:fs';
import { dirname, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The file that a stack frame names, as a path and as the runtime calls it (a URL for ES modules). */
export interface CallerFile {
  path: string;
  /** What `import()` takes to get the very same module; a plain path for CommonJS. */
  specifier: string;
}

/**
 * The file that called the public API; undefined for evaluated code. Below the frames of `ownFile` stands one frame of
 * the API, wherever it lies: another copy of the package, or bundled into the program's own file.
 */
export function callerFile(ownFile: string): CallerFile | undefined {
  const names = callSites().map((site) => site.getFileName() ?? undefined);
  const api = names.findIndex((name) => name !== ownFile);
  for (const name of names.slice(api + 1)) {
    if (name === undefined || name.startsWith('node:')) continue;
    const path = pathFrom(name);
    return path === undefined ? undefined : { path, specifier: name };
  }
  return undefined;
}

function callSites(): NodeJS.CallSite[] {
  const original = Error.prepareStackTrace;
  const limit = Error.stackTraceLimit;
  try {
    Error.stackTraceLimit = 30;
    Error.prepareStackTrace = (_error, sites) => sites;
    return (new Error().stack as unknown as NodeJS.CallSite[]) ?? [];
  } finally {
    Error.prepareStackTrace = original;
    Error.stackTraceLimit = limit;
  }
}

function pathFrom(name: string): string | undefined {
  if (name.startsWith('file:')) {
    try {
      return fileURLToPath(name.replace(/[?#].*$/s, ''));
    } catch {
      return undefined;
    }
  }
  return name.startsWith(sep) || /^[A-Za-z]:[\\/]/.test(name) ? name : undefined;
}

/** The nearest directory upwards with a package.json, else the file's own directory. */
export function packageRootOf(path: string): string {
  for (let directory = dirname(path); ; directory = dirname(directory)) {
    if (existsSync(`${directory}/package.json`)) return directory;
    if (directory === dirname(directory)) return dirname(path);
  }
}
