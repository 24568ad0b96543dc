import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';

const NEWLINE = 0x0a;

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
    const size = fstatSync(this.#fd).size;
    const torn = size > 0 && size !== this.#ownEnd && this.#lastByte(size) !== NEWLINE;
    const bytes = torn ? Buffer.concat([Buffer.of(NEWLINE), line]) : line;
    const written = writeSync(this.#fd, bytes);
    this.#ownEnd = written === bytes.length ? size + written : -1;
    if (written !== bytes.length) throw new Error(`only ${written} of ${bytes.length} bytes were written`);
  }

  close(): void {
    closeSync(this.#fd);
  }

  #lastByte(size: number): number {
    readSync(this.#fd, this.#byte, 0, 1, size - 1);
    return this.#byte[0] ?? NEWLINE;
  }
}
