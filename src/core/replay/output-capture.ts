import type { Readable } from 'node:stream';

/** The end matters most: what a dying library says comes last. */
const MAX_BYTES = 64 * 1024;
/** Called code may close its streams, and then no mark comes. */
const MARK_TIMEOUT_MS = 250;

/** Keeps the last 64 KiB that a worker wrote to a stream during one call. */
export class OutputCapture {
  #held: Buffer = Buffer.alloc(0);
  #dropped = 0;
  #isOpen = true;
  #mark: Buffer | undefined;
  /** What came before the mark, once that has come. */
  #finished: string | undefined;
  #onFinished: () => void = () => undefined;

  constructor(stream: Readable | null | undefined) {
    stream?.on('data', (chunk: Buffer) => this.push(chunk));
    stream?.on('close', () => {
      this.#isOpen = false;
      this.#onFinished();
    });
  }

  /** Says which mark ends the output of the call that runs now. */
  expect(mark: string): void {
    this.#mark = Buffer.from(mark);
    this.#finished = undefined;
  }

  push(chunk: Buffer): void {
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    const at = this.#mark === undefined ? -1 : this.#held.indexOf(this.#mark);
    if (at >= 0 && this.#mark !== undefined) {
      const rest = this.#held.subarray(at + this.#mark.length);
      this.#held = this.#held.subarray(0, at);
      this.#finished = this.#take();
      this.#held = rest;
      this.#mark = undefined;
      this.#onFinished();
    }
    if (this.#held.length > 2 * MAX_BYTES) this.#drop(this.#held.length - MAX_BYTES);
  }

  /** The call's output: up to its mark, to the end of the stream, or as far as it came in a quarter of a second. */
  async take(): Promise<string | undefined> {
    if (this.#mark !== undefined && this.#isOpen) await this.#untilFinished();
    const text = this.#finished ?? this.#take();
    this.#finished = undefined;
    this.#mark = undefined;
    return text === '' ? undefined : text;
  }

  #untilFinished(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, MARK_TIMEOUT_MS);
      this.#onFinished = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #take(): string {
    if (this.#held.length > MAX_BYTES) this.#drop(this.#held.length - MAX_BYTES);
    const text = this.#held.toString('utf8');
    const dropped = this.#dropped;
    this.#held = Buffer.alloc(0);
    this.#dropped = 0;
    return dropped === 0 ? text : `… ${dropped} bytes before this\n${text}`;
  }

  #drop(bytes: number): void {
    this.#held = this.#held.subarray(bytes);
    this.#dropped += bytes;
  }
}
