import { lstatSync, realpathSync, type Stats } from 'node:fs';
import { join, sep } from 'node:path';
import { FirError } from '../errors.js';
import { flushNumber, GRAPH_FLUSHES, snapshotDump } from '../flashinfer/index.js';

/**
 * The directory name that a recorded path ends in, or its last three for a snapshot of a CUDA graph; the rest of the
 * path is provenance and never followed. Undefined where that name could lead out of the session. Backslashes count,
 * for sessions from Windows.
 */
export function dumpNameFrom(dumpDir: string): string | undefined {
  const [name = '', parent, base = ''] = lastSegments(dumpDir, 3);
  if (parent === GRAPH_FLUSHES && flushNumber(name) !== undefined) {
    return isPlainName(base) ? snapshotDump(base, name) : undefined;
  }
  return isPlainName(name) ? name : undefined;
}

/** A name of one file or directory, that stays where it is put. */
export function isPlainName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !/[\\/\0]/.test(name);
}

/** `lstat`, or undefined where there is nothing of that name. */
export function statOf(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/**
 * Size of the regular file at `path`, or undefined where there is none. `realRoot` is the session's directory without
 * symbolic links: one that leads out of it, and a device or a pipe, which could block for ever, are FirError UNSAFE_PATH.
 */
export function sizeOfSessionFile(
  realRoot: string,
  path: string,
  stats: Stats | undefined = statOf(path),
): number | undefined {
  if (stats === undefined) return undefined;
  if (stats.isFile()) return stats.size;
  if (stats.isSymbolicLink()) return sizeOfLinked(realRoot, path);
  throw new FirError('UNSAFE_PATH', 'not a regular file', { where: path });
}

function sizeOfLinked(realRoot: string, path: string): number | undefined {
  const real = realPathOf(path);
  if (real === undefined) return undefined;
  const stats = statOf(real);
  if (!isInside(realRoot, real) || stats?.isFile() !== true) {
    throw new FirError('UNSAFE_PATH', 'a symbolic link that leads out of the session', {
      where: path,
      hint: 'put a copy of the file in its place if you trust what it points to',
    });
  }
  return stats.size;
}

/** Whether a directory of the session's own is there: one that is a symbolic link may not lead out of the session. */
export function hasSessionDirectory(realRoot: string, path: string): boolean {
  const real = realPathOf(path);
  return real !== undefined && isInside(realRoot, real) && statOf(real)?.isDirectory() === true;
}

/** Whether a dump's directory stands where its name says, with no symbolic link on the way from the session's own. */
export function isOwnDirectory(realRoot: string, path: string, dump: string): boolean {
  if (statOf(path)?.isDirectory() !== true) return false;
  return !dump.includes('/') || realPathOf(path) === join(realRoot, dump);
}

function isInside(realRoot: string, real: string): boolean {
  return real.startsWith(realRoot.endsWith(sep) ? realRoot : realRoot + sep);
}

function realPathOf(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

/** The last names of a path, the last first. Walked by hand: a path of a hostile record may be megabytes of slashes. */
function lastSegments(path: string, count: number): string[] {
  const names: string[] = [];
  let end = path.length;
  while (names.length < count) {
    while (end > 0 && isSeparator(path, end - 1)) end -= 1;
    if (end === 0) break;
    let begin = end;
    while (begin > 0 && !isSeparator(path, begin - 1)) begin -= 1;
    names.push(path.slice(begin, end));
    end = begin;
  }
  return names;
}

function isSeparator(path: string, at: number): boolean {
  return path[at] === '/' || path[at] === '\\';
}
