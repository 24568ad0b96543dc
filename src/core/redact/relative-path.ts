import { posix, win32 } from 'node:path';

/**
 * A path that tells nothing of the machine: relative to `directory` where it is in there or above, else its last part.
 * A recording may come from another platform than the one that reads it.
 */
export function relativePath(path: string, directory: string | undefined): string {
  const { relative, isAbsolute, basename, sep } = isWindows(path) ? win32 : posix;
  if (!isAbsolute(path)) return leavesNames(path) ? basename(path) : path;
  const fromHere =
    directory === undefined || !isAbsolute(directory) ? undefined : relative(directory, path) || '.';
  if (fromHere === undefined || isAbsolute(fromHere) || leavesNames(fromHere)) return basename(path);
  return fromHere.split(sep).join('/');
}

/** Whether a path goes up and then into another directory, which it names. */
function leavesNames(path: string): boolean {
  const parts = path.split(/[\\/]/);
  return parts[0] === '..' && parts.some((part) => part !== '..' && part !== '');
}

function isWindows(path: string): boolean {
  return /^[A-Za-z]:[\\/]|^\\\\/.test(path);
}
