import { accessSync, constants, realpathSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { FirError } from '../errors.js';
import { entriesOf, hasEntry } from './directory.js';
import { isDump, METADATA } from './dump-scan.js';
import { sizeOfSessionFile, statOf } from './safe-path.js';

/** What a path given by the user names. */
export interface SessionPlace {
  /** Directory that holds the dumps, and `blobs/` and `processes/` beside them. */
  root: string;
  /** The same without symbolic links. */
  realRoot: string;
  /** Names of the index files in the root, in the order in which they are read. */
  indexes: string[];
  /** The one dump that was named, in place of the whole session. */
  dump: string | undefined;
}

const SESSION_INDEX = 'session.jsonl';
/** Of a session in one file. */
export const PACK_NAME = /\.t(?:ar\.)?(gz|zst)$/i;
const INDEX_NAME = /^session(?:\.[^/]+)?\.jsonl$/;

/** Whether an index is one process's own, of a row of which it drops the older ones: `session.<process_uid>.<n>.jsonl`. */
export function isSegment(index: string): boolean {
  return /^session\..+\.\d+\.jsonl$/.test(index);
}

/** Finds the session at a path. FirError NOT_FOUND, NOT_A_SESSION, UNSAFE_PATH. */
export function locateSession(path: string): SessionPlace {
  const stats = statOrThrow(path);
  const real = realpathSync(path);
  if (stats.isDirectory()) return locateInDirectory(path, real);
  const name = basename(path);
  if (stats.isFile() && name === METADATA) return locateInDirectory(dirname(path), dirname(real));
  if (stats.isFile() && INDEX_NAME.test(name)) return placeOf(dirname(path), dirname(real));
  if (stats.isFile() && PACK_NAME.test(name)) {
    throw new FirError('NOT_A_SESSION', `${path} is a packed session, which has to be unpacked for this`, {
      where: path,
      hint: 'unpack it with tar -xf and name the directory that it held',
    });
  }
  throw new FirError('NOT_A_SESSION', `${path} is not a session`, {
    where: path,
    hint: 'name a session directory, its session.jsonl or the directory of one call',
  });
}

function locateInDirectory(path: string, realRoot: string): SessionPlace {
  const place = placeOf(path, realRoot);
  if (place.indexes.length > 0) return place;
  // A link that the user named is the user's own choice.
  const whole = statOf(path)?.isSymbolicLink() === true ? realRoot : resolve(path);
  const hasMetadata = hasEntry(path, (name) => name === METADATA);
  if (isDump(path, hasMetadata ? '' : basename(whole))) {
    return { root: dirname(whole), realRoot: dirname(realRoot), indexes: [], dump: basename(whole) };
  }
  if (hasEntry(path, (name) => isDump(join(path, name), name))) return place;
  throw new FirError('NOT_A_SESSION', `${path} holds no recorded session`, {
    where: path,
    hint: hasEntry(path, () => true)
      ? `a session has a ${SESSION_INDEX}, or one directory for each call with a ${METADATA}`
      : 'the directory is empty; record into it with: fir capture -- <command>',
  });
}

function placeOf(root: string, realRoot: string): SessionPlace {
  const indexes: string[] = [];
  for (const { name } of entriesOf(root)) {
    if (!INDEX_NAME.test(name)) continue;
    sizeOfSessionFile(realRoot, join(root, name));
    indexes.push(name);
  }
  return { root, realRoot, indexes: indexes.sort(compareIndexes), dump: undefined };
}

/** The shared index first, then each process's segments by number: `session.<uid>.2.jsonl` before `….10.jsonl`. */
function compareIndexes(a: string, b: string): number {
  if (a === SESSION_INDEX || b === SESSION_INDEX) return a === b ? 0 : a === SESSION_INDEX ? -1 : 1;
  return a.localeCompare(b, 'en', { numeric: true }) || (a < b ? -1 : 1);
}

function statOrThrow(path: string): Stats {
  try {
    accessSync(path, constants.R_OK);
    return statSync(path);
  } catch (error) {
    throw new FirError('NOT_FOUND', `${path} does not exist or can't be read`, { where: path, cause: error });
  }
}
