import { createHash } from 'node:crypto';
import {
  closeSync,
  fstatSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  statSync,
  unlinkSync,
} from 'node:fs';
import { removeIfPossible, writeBeside } from './dump-files.js';

/** So much of a file is compared at once: it stays in the processor's cache. */
const CHUNK_BYTES = 256 * 1024;
/** Contents that this thread knows to be whole; beyond, some are looked at again. */
const MAX_CHECKED = 10_000;
const MAX_ATTEMPTS = 100;
/** Node hashes less than 2 GiB at once. */
const MAX_UPDATE_BYTES = 1 << 30;

export function sha256Of(bytes: Uint8Array): string {
  const hash = createHash('sha256');
  for (let at = 0; at < bytes.length; at += MAX_UPDATE_BYTES) {
    hash.update(bytes.subarray(at, at + MAX_UPDATE_BYTES));
  }
  return hash.digest('hex');
}

/** A dump's hold on content: the same file, as a hard link. */
export function holdOf(dump: string, sha256: string): string {
  return `${dump}/${sha256}.blob`;
}

/**
 * Content stored once per session, by its SHA-256. Each dump that refers to it holds a hard link to it, so that the number
 * of links says whether content is needed still, by whichever process; where there are no hard links it stays.
 */
export class BlobStore {
  readonly #directory: string;
  readonly #tag: string;
  readonly #checked = new Set<string>();
  #isUsable: boolean | undefined;

  /** `tag` names this writer among those that may write the same content at once. */
  constructor(session: string, tag: string) {
    this.#directory = `${session}/blobs`;
    this.#tag = tag;
  }

  /** False where something that is no directory has its name: a link would lead who knows where. */
  get isUsable(): boolean {
    this.#isUsable ??= lstatSync(this.#directory, { throwIfNoEntry: false })?.isDirectory() !== false;
    return this.#isUsable;
  }

  /** In bytes; undefined where there is no content of that name. */
  sizeOf(sha256: string): number | undefined {
    return statSync(this.#pathOf(sha256), { throwIfNoEntry: false })?.size;
  }

  /** Whether the content of that name is exactly this. */
  holds(sha256: string, bytes: Uint8Array): boolean {
    let fd: number;
    try {
      fd = openSync(this.#pathOf(sha256), 'r');
    } catch {
      return false;
    }
    try {
      if (fstatSync(fd).size !== bytes.length) return false;
      const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, bytes.length));
      for (let at = 0; at < bytes.length; ) {
        const got = readSync(fd, chunk, 0, Math.min(chunk.length, bytes.length - at), at);
        if (got === 0 || chunk.compare(bytes, at, at + got, 0, got) !== 0) return false;
        at += got;
      }
      return true;
    } finally {
      closeSync(fd);
    }
  }

  /** Has content stay as long as the dump does; writes it where it is not there yet. Gives the bytes that were written. */
  keep(dump: string, sha256: string, bytes: Uint8Array): number {
    const hold = holdOf(dump, sha256);
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const found = this.#look(sha256, bytes);
      const result = found === 'whole' ? this.#link(this.#pathOf(sha256), hold) : found;
      if (result === 'linked' || result === 'unlinkable') return 0;
      if (this.#write(hold, sha256, bytes, result !== 'missing')) return bytes.length;
    }
    throw new Error('content under blobs/ comes and goes');
  }

  /**
   * Removes content that no dump holds any more. It is moved aside first, where nobody can come to hold it: then the number
   * of its links is final. A process that needs it meanwhile writes it anew.
   */
  release(sha256: string): void {
    const path = this.#pathOf(sha256);
    if (statSync(path, { throwIfNoEntry: false })?.nlink !== 1) return;
    const aside = `${path}.${this.#tag}.gone.tmp`;
    try {
      renameSync(path, aside);
    } catch {
      // Another process was first.
      return;
    }
    if (lstatSync(aside).nlink > 1) this.#link(aside, path);
    this.#checked.delete(sha256);
    unlinkSync(aside);
  }

  /** Reads what stands there once: somebody else may have written it, and a machine that lost power left a hole. */
  #look(sha256: string, bytes: Uint8Array): 'whole' | 'missing' | 'damaged' {
    if (this.#checked.has(sha256)) return 'whole';
    if (lstatSync(this.#pathOf(sha256), { throwIfNoEntry: false }) === undefined) return 'missing';
    if (!this.holds(sha256, bytes)) return 'damaged';
    this.#note(sha256);
    return 'whole';
  }

  #note(sha256: string): void {
    if (this.#checked.size >= MAX_CHECKED) this.#checked.clear();
    this.#checked.add(sha256);
  }

  #link(from: string, to: string): 'linked' | 'missing' | 'full' | 'unlinkable' {
    try {
      linkSync(from, to);
      return 'linked';
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EEXIST') return 'linked';
      if (code === 'ENOENT') return 'missing';
      return code === 'EMLINK' ? 'full' : 'unlinkable';
    }
  }

  /**
   * Writes content as the dump's own and gives it its name under `blobs/` by a link: from the first moment somebody holds it.
   * False where another process was first. `replaces`: what has the name is damaged, or has as many links as it can have.
   */
  #write(hold: string, sha256: string, bytes: Uint8Array, replaces: boolean): boolean {
    const path = this.#pathOf(sha256);
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    removeIfPossible(hold);
    writeBeside(hold, this.#tag, [bytes]);
    const target = replaces ? `${path}.${this.#tag}.tmp` : path;
    if (replaces) removeIfPossible(target);
    try {
      linkSync(hold, target);
      if (replaces) renameSync(target, path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
        removeIfPossible(hold);
        return false;
      }
      // A file system without hard links.
      renameSync(hold, path);
    }
    this.#note(sha256);
    return true;
  }

  #pathOf(sha256: string): string {
    return `${this.#directory}/${sha256}`;
  }
}
