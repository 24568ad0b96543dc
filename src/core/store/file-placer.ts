import {
  chmodSync,
  constants,
  copyFileSync,
  linkSync,
  lstatSync,
  promises,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { FirError } from '../errors.js';

/** A copy of more is made while other things go on. */
const LARGE_BYTES = 4 * 1024 * 1024;
const MODE = 0o600;

/** No file of this file system can be linked there. */
const NEVER_LINKED: ReadonlySet<string | undefined> = new Set(['EXDEV', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);
/** This one can't: it is another user's, or has as many links as it can have. */
const NOT_LINKED: ReadonlySet<string | undefined> = new Set([...NEVER_LINKED, 'EPERM', 'EACCES', 'EMLINK']);

/** Puts files into the new session, in the cheapest way that there is, and counts them. */
export class FilePlacer {
  bytes = 0;
  linked = 0;
  cloned = 0;
  copied = 0;
  #canLink = true;
  #canClone = true;

  /** For a file that nobody changes in place: a hard link is the file itself, with its mode. `source` is a regular file. */
  async share(source: string, target: string): Promise<void> {
    if (!this.#canLink || !this.#link(source, target)) await this.copy(source, target);
  }

  /** A file of its own, of mode 0600. */
  async copy(source: string, target: string): Promise<void> {
    const { size } = lstatSync(source);
    if (this.#canClone && this.#clone(source, target)) {
      this.cloned += 1;
    } else {
      if (size > LARGE_BYTES) await promises.copyFile(source, target, constants.COPYFILE_EXCL);
      else copyFileSync(source, target, constants.COPYFILE_EXCL);
      this.copied += 1;
    }
    chmodSync(target, MODE);
    this.bytes += size;
  }

  write(target: string, content: string | Uint8Array): void {
    writeFileSync(target, content, { mode: MODE, flag: 'wx' });
    this.count(Buffer.byteLength(content));
  }

  /** Counts a file that somebody else wrote. */
  count(bytes: number): void {
    this.copied += 1;
    this.bytes += bytes;
  }

  #link(source: string, target: string): boolean {
    try {
      linkSync(source, target);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (!NOT_LINKED.has(code)) throw error;
      if (NEVER_LINKED.has(code)) this.#canLink = false;
      return false;
    }
    const stats = lstatSync(target);
    if (!stats.isFile()) {
      rmSync(target);
      throw new FirError('UNSAFE_PATH', 'not a regular file', { where: source });
    }
    this.linked += 1;
    this.bytes += stats.size;
    return true;
  }

  #clone(source: string, target: string): boolean {
    try {
      copyFileSync(source, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE);
      return true;
    } catch {
      // Whatever the reason, a copy tells the true one.
      this.#canClone = false;
      rmSync(target, { force: true });
      return false;
    }
  }
}
