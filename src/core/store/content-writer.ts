import { createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  closeSync,
  copyFileSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  type Stats,
} from 'node:fs';
import { join } from 'node:path';
import { FirError } from '../errors.js';
import { writeFully } from '../io/positioned-io.js';
import { statOf } from '../session/safe-path.js';
import { sourceFromBlob } from '../session/value-source.js';
import { BLOBS } from './blob-files.js';

const MODE = 0o600;

/** Puts content under the `blobs/` of a session that nobody else writes to. */
export class ContentWriter {
  /** Of the contents that were new. */
  count = 0;
  bytes = 0;
  readonly #root: string;
  readonly #directory: string;
  readonly #whole = new Set<string>();

  /** `root` is the session's directory without symbolic links. FirError UNSAFE_PATH. */
  constructor(root: string) {
    this.#root = root;
    this.#directory = join(root, BLOBS);
    const stats = statOf(this.#directory);
    if (stats !== undefined && !stats.isDirectory()) {
      throw new FirError('UNSAFE_PATH', `${BLOBS} is not a directory`, {
        where: this.#directory,
        hint: 'put a copy of the directory in its place if you trust what it points to',
      });
    }
  }

  /**
   * Has the content there, on disk, and held by the dump. FirError TENSOR_INVALID where what is read has another hash than
   * before; what reading throws.
   */
  keep(sha256: string, dump: string, read: () => Iterable<Uint8Array>): void {
    const path = join(this.#directory, sha256);
    if (!this.#whole.has(sha256)) {
      if (!isWhole(path, sha256)) this.#write(path, sha256, read());
      this.#whole.add(sha256);
    }
    this.#hold(path, join(this.#root, dump, `${sha256}.blob`));
  }

  #write(path: string, sha256: string, chunks: Iterable<Uint8Array>): void {
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    const hash = createHash('sha256');
    let bytes = 0;
    const counted = function* (): Generator<Uint8Array> {
      for (const chunk of chunks) {
        hash.update(chunk);
        bytes += chunk.length;
        yield chunk;
      }
    };
    writeDurably(path, counted(), () => {
      if (hash.digest('hex') === sha256) return;
      throw new FirError('TENSOR_INVALID', 'a tensor changed while it was read', { where: path });
    });
    this.count += 1;
    this.bytes += bytes;
  }

  /** Says by the number of its links whether content is needed. Not every file system has them. */
  #hold(path: string, hold: string): void {
    try {
      linkSync(path, hold);
    } catch (error) {
      // As many links as a file can have: the next dumps hold a copy.
      if ((error as NodeJS.ErrnoException).code !== 'EMLINK') return;
      const beside = besideOf(path);
      copyFileSync(path, beside);
      renameSync(beside, path);
      linkSync(path, hold);
    }
  }
}

/**
 * Writes a file of mode 0600 beside its place and renames it there once it is complete and on disk, and `check` does not
 * throw. The pieces may be overwritten by the next ones.
 */
export function writeDurably(path: string, pieces: Iterable<Uint8Array>, check?: () => void): void {
  const beside = besideOf(path);
  try {
    const fd = openSync(beside, 'wx', MODE);
    try {
      for (const piece of pieces) writeFully(fd, [piece]);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    check?.();
    renameSync(beside, path);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
}

/** Whoever could read what stood in a file's place still can. */
export function keepAccess(path: string, before: Stats | undefined): void {
  if (before === undefined) return;
  try {
    chownSync(path, before.uid, before.gid);
  } catch {
    // Only a privileged user can, and only such a one is not the owner already.
  }
  chmodSync(path, before.mode & 0o777);
}

function besideOf(path: string): string {
  return `${path}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`;
}

function isWhole(path: string, sha256: string): boolean {
  const stats = statOf(path);
  if (stats === undefined) return false;
  if (!stats.isFile()) {
    throw new FirError('UNSAFE_PATH', 'not a regular file', { where: path, hint: 'remove it' });
  }
  try {
    sourceFromBlob(path, sha256, stats.size).checkValues?.(true);
    return true;
  } catch (error) {
    if (error instanceof FirError) return false;
    throw error;
  }
}
