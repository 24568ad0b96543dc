import { closeSync, linkSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { FirError } from '../errors.js';
import { writeFully } from '../io/positioned-io.js';
import { isPlainName } from '../session/safe-path.js';
import { isSessionDirectory, isSessionFile } from './session-names.js';
import type { TarEntry, TarVisitor } from './tar-reader.js';

const DIRECTORY_MODE = 0o700;
const FILE_MODE = 0o600;
/** Names of most file systems are no longer. */
const MAX_NAME_BYTES = 255;
const MAX_PATH_LENGTH = 4096;

/**
 * Writes the files of a session that an archive holds into an empty directory, and passes over all others. A pack may
 * hold the session's files, or a directory with them. Nothing is ever written over, so that two names that are one to
 * the file system are refused.
 */
export class UnpackedFiles implements TarVisitor {
  /** Those that were written. */
  files = 0;
  readonly #root: string;
  readonly #maxEntries: number;
  #entries = 0;
  /** Directories that were made, by their path below the root. */
  readonly #made = new Set(['']);
  /** The directory of the archive that the session stands in; undefined until a file tells. */
  #top: string | undefined;
  /** Directories that came before. */
  #waiting: string[][] = [];
  #fd: number | undefined;

  constructor(root: string, maxEntries: number) {
    this.#root = root;
    this.#maxEntries = maxEntries;
  }

  onEntry(entry: TarEntry): void {
    this.#entries += 1;
    if (this.#entries > this.#maxEntries) {
      throw new FirError('TOO_LARGE', `it holds more than ${this.#maxEntries} files and directories`);
    }
    const names = namesOf(entry.path);
    const target = entry.kind === 'link' ? namesOf(entry.target) : [];
    if (entry.kind === 'directory') this.#onDirectory(names);
    else {
      const own = this.#ownFile(names);
      if (own === undefined) return;
      if (entry.kind === 'link') this.#link(own, this.#ownFile(target), entry);
      else this.#open(own);
    }
  }

  onBytes(bytes: Buffer): void {
    if (this.#fd !== undefined) writeFully(this.#fd, [bytes]);
  }

  onEntryEnd(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #onDirectory(names: string[]): void {
    if (this.#top === undefined) this.#waiting.push(names);
    else {
      const own = this.#below(names);
      if (own !== undefined && isSessionDirectory(own)) this.#make(own);
    }
  }

  /** The path of a session's file below its directory; undefined for a file that is none. */
  #ownFile(names: string[]): string[] | undefined {
    if (this.#top === undefined) {
      const isHere = isSessionFile(names);
      if (!isHere && !isSessionFile(names.slice(1))) return undefined;
      this.#top = isHere ? '' : names[0];
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const directory of waiting) this.#onDirectory(directory);
    }
    const own = this.#below(names);
    return own !== undefined && isSessionFile(own) ? own : undefined;
  }

  #below(names: string[]): string[] | undefined {
    if (this.#top === '') return names;
    return names[0] === this.#top ? names.slice(1) : undefined;
  }

  #make(names: readonly string[]): void {
    const path = names.join('/');
    if (this.#made.has(path)) return;
    this.#make(names.slice(0, -1));
    refuseTaken(path, () => mkdirSync(join(this.#root, path), { mode: DIRECTORY_MODE }));
    this.#made.add(path);
  }

  #open(names: readonly string[]): void {
    this.#make(names.slice(0, -1));
    const path = names.join('/');
    this.#fd = refuseTaken(path, () => openSync(join(this.#root, path), 'wx', FILE_MODE));
    this.files += 1;
  }

  #link(names: readonly string[], target: readonly string[] | undefined, entry: TarEntry): void {
    if (target === undefined) {
      throw new FirError('UNSAFE_PATH', 'it holds a link to what is no file of the session', {
        where: entry.path,
      });
    }
    this.#make(names.slice(0, -1));
    const path = names.join('/');
    try {
      refuseTaken(path, () => linkSync(join(this.#root, ...target), join(this.#root, path)));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      throw new FirError('PACK_INVALID', 'it holds a link to a file that does not stand before it', {
        where: entry.path,
      });
    }
    this.files += 1;
  }
}

/** The names of a path below the archive's root. FirError UNSAFE_PATH where it could lead anywhere else. */
function namesOf(path: string): string[] {
  if (/^(?:\.\/)*\.?$/.test(path)) return [];
  const names =
    path.length > MAX_PATH_LENGTH
      ? []
      : path
          .replace(/^(?:\.\/)+/, '')
          .replace(/\/$/, '')
          .split('/');
  if (names.length === 0 || !names.every(isSafeName)) {
    throw new FirError('UNSAFE_PATH', 'it holds a name that leads out of it, or is too long', {
      where: path.slice(0, MAX_PATH_LENGTH),
    });
  }
  return names;
}

/** A colon parts a drive, or a stream of a file, on Windows. */
function isSafeName(name: string): boolean {
  if (process.platform === 'win32' && name.includes(':')) return false;
  return isPlainName(name) && Buffer.byteLength(name) <= MAX_NAME_BYTES;
}

function refuseTaken<T>(path: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new FirError('UNSAFE_PATH', 'it holds two files of the same name', { where: path });
  }
}
