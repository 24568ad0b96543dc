import { join } from 'node:path';
import { entriesOf } from '../session/directory.js';
import { statOf } from '../session/safe-path.js';
import { BLOBS, heldBy, isRootFile, isSessionDirectory, isSessionFile, PROCESSES } from './session-names.js';

export interface SessionEntry {
  kind: 'file' | 'directory' | 'link';
  /** Below the session's directory. */
  path: string;
  bytes: number;
  /** Of a link: the path of a file before that holds the same. */
  target?: string;
}

/**
 * What a session consists of, in an order that hangs on the names alone: its index first, then the contents that dumps
 * link to. What is no part of a session, and every symbolic link, is passed over.
 */
export function* sessionEntries(root: string): Generator<SessionEntry> {
  const names = namesIn(root);
  for (const name of names.filter(isRootFile)) yield* entryOf(root, [name]);
  for (const name of [PROCESSES, BLOBS]) if (names.includes(name)) yield* entryOf(root, [name]);
  const others = names.filter((name) => !isRootFile(name) && name !== PROCESSES && name !== BLOBS);
  for (const name of others) yield* entryOf(root, [name]);
}

function* entryOf(root: string, names: readonly string[]): Generator<SessionEntry> {
  const path = names.join('/');
  const stats = statOf(join(root, path));
  if (stats?.isDirectory() === true && isSessionDirectory(names)) {
    yield { kind: 'directory', path, bytes: 0 };
    for (const name of namesIn(join(root, path))) yield* entryOf(root, [...names, name]);
  } else if (stats?.isFile() === true && isSessionFile(names)) {
    const target = linkTarget(root, names, stats.size);
    yield target === undefined
      ? { kind: 'file', path, bytes: stats.size }
      : { kind: 'link', path, bytes: 0, target };
  }
}

/** Whatever links the file system has: the same session gives the same entries. */
function linkTarget(root: string, names: readonly string[], bytes: number): string | undefined {
  const sha256 = heldBy(names.at(-1) ?? '');
  if (sha256 === undefined) return undefined;
  const target = `${BLOBS}/${sha256}`;
  const stats = statOf(join(root, target));
  return stats?.isFile() === true && stats.size === bytes ? target : undefined;
}

function namesIn(directory: string): string[] {
  return Array.from(entriesOf(directory), ({ name }) => name).sort();
}
