import { lstatSync, realpathSync, type Stats } from 'node:fs';
import { sep } from 'node:path';
import { FirError } from '../errors.js';

/**
 * The directory name that a recorded path ends in; the rest of the path is provenance and never followed.
 * Undefined where that name could lead out of the session. Backslashes count, for sessions from Windows.
 */
export function dumpNameFrom(dumpDir: string): string | undefined {
  const name = lastSegment(dumpDir);
  return isPlainName(name) ? name : undefined;
}

/** A FlashInfer graph snapshot: `<dump>/graph_flushes/flush_0001`. */
export function isGraphSnapshot(dumpDir: string): boolean {
  return /[\\/]graph_flushes[\\/]flush_\d+[\\/]*$/.test(dumpDir);
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
export function sizeOfSessionFile(realRoot: string, path: string): number | undefined {
  const stats = statOf(path);
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

function lastSegment(path: string): string {
  const trimmed = path.replace(/[\\/]+$/, '');
  return trimmed.slice(Math.max(trimmed.lastIndexOf('/'), trimmed.lastIndexOf('\\')) + 1);
}
