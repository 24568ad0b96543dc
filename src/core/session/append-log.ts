import { closeSync, fchmodSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';

const NEWLINE = 0x0a;
const MODE = 0o600;

/**
 * An append-only file of lines shared by several processes: one record is one `write` with O_APPEND.
 * Another writer may have been killed in the middle of a line, so a file that does not end with a newline gets
 * one before the next record.
 */
export class AppendLog {
  readonly #fd: number;
  readonly #byte = Buffer.alloc(1);
  #ownEnd = -1;

  constructor(path: string) {
    this.#fd = openSync(path, 'a+', MODE);
  }

  /** `line` ends with its newline. */
  append(line: Uint8Array): void {
    const { size } = fstatSync(this.#fd);
    const isTorn = size > 0 && size !== this.#ownEnd && this.#isTorn(size);
    const bytes = isTorn ? Buffer.concat([Buffer.of(NEWLINE), line]) : line;
    this.#ownEnd = -1;
    let written = writeSync(this.#fd, bytes);
    // A disk that is nearly full takes a part: the rest fails with the reason.
    while (written < bytes.length) written += writeSync(this.#fd, bytes, written);
    this.#ownEnd = size + written;
  }

  close(): void {
    closeSync(this.#fd);
  }

  /**
   * A large record of another process shows page by page while it is written. Changing the mode waits for the lock that
   * a write holds: when the file has not grown then, nobody is writing.
   */
  #isTorn(size: number): boolean {
    for (let end = size; ; ) {
      readSync(this.#fd, this.#byte, 0, 1, end - 1);
      if (this.#byte[0] === NEWLINE) return false;
      fchmodSync(this.#fd, MODE);
      const grown = fstatSync(this.#fd).size;
      if (grown <= end) return true;
      end = grown;
    }
  }
}
