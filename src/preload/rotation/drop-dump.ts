import { lstatSync, mkdirSync, opendirSync, readdirSync, renameSync, rmdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { removeIfPossible } from '../dump-files.js';
import { type BlobHolds, HOLD } from './blob-holds.js';

/** Readers pass over names that begin with a dot. */
const DROPPED = '.dropped';
const MAX_LEFTOVERS = 1000;

/** Takes dumps out of a session: each is moved aside as a whole, and removed there. */
export class DropYard {
  readonly #session: string;
  readonly #path: string;
  readonly #tag: string;
  readonly #blobs: BlobHolds;

  /** `tag` names this writer among all of the session. */
  constructor(session: string, tag: string, blobs: BlobHolds) {
    this.#blobs = blobs;
    this.#session = session;
    this.#path = join(session, DROPPED);
    this.#tag = tag;
  }

  /** Makes the place, and removes what a process that was killed left there. */
  open(): void {
    const stats = lstatSync(this.#path, { throwIfNoEntry: false });
    if (stats !== undefined && !stats.isDirectory()) unlinkSync(this.#path);
    mkdirSync(this.#path, { recursive: true, mode: 0o700 });
    const directory = opendirSync(this.#path);
    try {
      for (let count = 0; count < MAX_LEFTOVERS; count += 1) {
        const entry = directory.readSync();
        if (entry === null) break;
        this.#remove(join(this.#path, entry.name), false);
      }
    } finally {
      directory.closeSync();
    }
  }

  /**
   * `name` is that of a directory of the session, `isOthers` one of a thread that has ended. Gives the bytes of content that
   * such a thread has no longer to answer for; undefined where the directory is gone already: another process took it.
   */
  drop(name: string, isOthers = false): number | undefined {
    const from = join(this.#session, name);
    // A name is used again where a leftover of it could not be removed.
    for (const to of [join(this.#path, name), join(this.#path, `${name}.${this.#tag}`)]) {
      try {
        renameSync(from, to);
        return this.#remove(to, isOthers);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'ENOENT' && lstatSync(from, { throwIfNoEntry: false }) === undefined) return undefined;
        if (code === 'ENOENT') mkdirSync(this.#path, { recursive: true, mode: 0o700 });
        else if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
      }
    }
    return undefined;
  }

  /** A dump is one directory of files; whatever else is there goes the slow way. */
  #remove(path: string, isOthers: boolean): number {
    try {
      const held: string[] = [];
      for (const name of readdirSync(path)) {
        const sha256 = HOLD.exec(name)?.[1];
        if (sha256 !== undefined) held.push(sha256);
        unlinkSync(join(path, name));
      }
      rmdirSync(path);
      return this.#blobs.release(held, isOthers);
    } catch {
      removeIfPossible(path);
      return 0;
    }
  }
}
