import { existsSync } from 'node:fs';
import { dirname, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The file that a stack frame names, as a path and as the runtime calls it (a URL for ES modules). */
export interface CallerFile {
  path: string;
  /** What `import()` takes to get the very same module; a plain path for CommonJS. */
  specifier: string;
}

/** The first file on the stack that is not one of our own bundles; undefined for eval'd code. */
export function callerFile(isOwn: (path: string) => boolean): CallerFile | undefined {
  for (const site of callSites()) {
    const name = site.getFileName();
    if (name === null || name === undefined || name.startsWith('node:')) continue;
    const path = pathFrom(name);
    if (path === undefined) return undefined;
    if (!isOwn(path)) return { path, specifier: name };
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
