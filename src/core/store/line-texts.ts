import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { FirError } from '../errors.js';
import { readFully } from '../io/positioned-io.js';

const WINDOW_BYTES = 1024 * 1024;

/** Reads parts of a few files by their places, cheaply where they follow one another. */
export class LineTexts {
  readonly #root: string;
  readonly #names: readonly string[];
  readonly #files = new Map<number, { fd: number; begin: number; window: Buffer }>();

  constructor(root: string, names: readonly string[]) {
    this.#root = root;
    this.#names = names;
  }

  /** FirError UNREADABLE_RECORD where the file has become shorter. */
  read(file: number, offset: number, length: number): Buffer {
    const open = this.#open(file);
    let at = offset - open.begin;
    if (at < 0 || at + length > open.window.length) {
      const bytes = Buffer.allocUnsafe(Math.max(WINDOW_BYTES, length));
      open.window = bytes.subarray(0, readFully(open.fd, bytes, offset));
      open.begin = offset;
      at = 0;
    }
    if (at + length > open.window.length) {
      throw new FirError('UNREADABLE_RECORD', 'the index became shorter while it was read', {
        where: join(this.#root, this.#names[file] ?? ''),
      });
    }
    return open.window.subarray(at, at + length);
  }

  close(): void {
    for (const { fd } of this.#files.values()) closeSync(fd);
    this.#files.clear();
  }

  #open(file: number): { fd: number; begin: number; window: Buffer } {
    let open = this.#files.get(file);
    if (open === undefined) {
      const fd = openSync(join(this.#root, this.#names[file] ?? ''), 'r');
      open = { fd, begin: 0, window: Buffer.alloc(0) };
      this.#files.set(file, open);
    }
    return open;
  }
}
