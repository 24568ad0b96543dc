const START_BYTES = 64 * 1024;
const MAX_KEPT_BYTES = 4 * 1024 * 1024;
const NEWLINE = 0x0a;

/** Turns one line after the other into bytes without allocating: valid until the next call. */
export class LineBuffer {
  #buffer = Buffer.allocUnsafeSlow(START_BYTES);

  encode(line: string): Uint8Array {
    // A UTF-16 unit takes at most three bytes of UTF-8.
    const wanted = line.length * 3 + 1;
    if (wanted > MAX_KEPT_BYTES) return Buffer.from(`${line}\n`, 'utf8');
    if (wanted > this.#buffer.length) this.#buffer = Buffer.allocUnsafeSlow(wanted * 2);
    const length = this.#buffer.write(line, 0, 'utf8');
    this.#buffer[length] = NEWLINE;
    return this.#buffer.subarray(0, length + 1);
  }
}
