/** The end matters most: what a dying library says comes last. */
const MAX_BYTES = 64 * 1024;

/** Keeps the last 64 KiB of a stream. */
export class OutputTail {
  #chunks: Buffer[] = [];
  #bytes = 0;
  #dropped = 0;

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    while (this.#bytes - (this.#chunks[0]?.length ?? 0) >= MAX_BYTES) {
      const first = this.#chunks.shift();
      this.#bytes -= first?.length ?? 0;
      this.#dropped += first?.length ?? 0;
    }
  }

  /** What was kept, and begins again; undefined where there was nothing. */
  take(): string | undefined {
    if (this.#bytes === 0) return undefined;
    const all = Buffer.concat(this.#chunks);
    const kept = all.subarray(Math.max(0, all.length - MAX_BYTES));
    const dropped = this.#dropped + all.length - kept.length;
    this.#chunks = [];
    this.#bytes = 0;
    this.#dropped = 0;
    const text = kept.toString('utf8');
    return dropped === 0 ? text : `… ${dropped} bytes before this\n${text}`;
  }
}
