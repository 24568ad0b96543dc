import type { Readable } from 'node:stream';

/** The end matters most: what a dying library says comes last. */
const MAX_BYTES = 64 * 1024;
/** Called code may close its streams, and then no mark comes. */
const MARK_TIMEOUT_MS = 250;

/** Keeps the last 64 KiB that a worker wrote to a stream during each call, until somebody takes them. */
export class OutputCapture {
  #held: Buffer = Buffer.alloc(0);
  #dropped = 0;
  #isOpen = true;
  /** What ends the output of the calls that the worker was given, in their order. */
  #expected: { id: number; mark: Buffer }[] = [];
  /** By call, what came before its mark. */
  readonly #finished = new Map<number, string>();
  #onFinished: () => void = () => undefined;

  constructor(stream: Readable | null | undefined) {
    stream?.on('data', (chunk: Buffer) => this.push(chunk));
    stream?.on('close', () => {
      this.#isOpen = false;
      this.#onFinished();
    });
  }

  /** Says which mark ends the output of a call. The worker ends its calls in the order in which it was given them. */
  expect(id: number, mark: string): void {
    this.#expected.push({ id, mark: Buffer.from(mark) });
  }

  push(chunk: Buffer): void {
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    for (let next = this.#expected[0]; next !== undefined; next = this.#expected[0]) {
      const at = this.#held.indexOf(next.mark);
      if (at < 0) break;
      const rest = this.#held.subarray(at + next.mark.length);
      this.#held = this.#held.subarray(0, at);
      this.#finished.set(next.id, this.#takeHeld());
      this.#held = rest;
      this.#expected.shift();
      this.#onFinished();
    }
    if (this.#held.length > 2 * MAX_BYTES) this.#drop(this.#held.length - MAX_BYTES);
  }

  /**
   * A call's output: up to its mark, to the end of the stream, or as far as it came in a quarter of a second. What
   * nobody took of the calls before it is let go.
   */
  async take(id: number): Promise<string | undefined> {
    if (!this.#finished.has(id) && this.#isOpen) await this.#untilFinished(id);
    const text = this.#finished.get(id) ?? this.#takeHeld();
    this.#expected = this.#expected.filter((expected) => expected.id > id);
    for (const finished of this.#finished.keys()) if (finished <= id) this.#finished.delete(finished);
    return text === '' ? undefined : text;
  }

  /** What came after the last call, or before the first one. */
  takeRest(): string | undefined {
    return this.#takeHeld() || undefined;
  }

  #untilFinished(id: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, MARK_TIMEOUT_MS);
      this.#onFinished = () => {
        if (this.#isOpen && !this.#finished.has(id)) return;
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #takeHeld(): string {
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
