import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';

const NEWLINE = 0x0a;
const PAUSE_MS = 1;
const PAUSES = 5;
const neverNotified = new Int32Array(new SharedArrayBuffer(4));

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
    this.#fd = openSync(path, 'a+', 0o600);
  }

  /** `line` ends with its newline. */
  append(line: Uint8Array): void {
    const { size } = fstatSync(this.#fd);
    const isTorn = size > 0 && size !== this.#ownEnd && this.#isTorn(size);
    const bytes = isTorn ? Buffer.concat([Buffer.of(NEWLINE), line]) : line;
    const written = writeSync(this.#fd, bytes);
    this.#ownEnd = written === bytes.length ? size + written : -1;
    if (written !== bytes.length) throw new Error(`only ${written} of ${bytes.length} bytes were written`);
  }

  close(): void {
    closeSync(this.#fd);
  }

  /** A large record of another process shows page by page while it is written: only what stays torn is torn. */
  #isTorn(size: number): boolean {
    for (let pause = 0, end = size; ; pause += 1, end = fstatSync(this.#fd).size) {
      readSync(this.#fd, this.#byte, 0, 1, end - 1);
      if (this.#byte[0] === NEWLINE) return false;
      if (pause === PAUSES) return true;
      Atomics.wait(neverNotified, 0, 0, PAUSE_MS);
    }
  }
}
