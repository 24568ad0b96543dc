import { once } from 'node:events';
import type { Writable } from 'node:stream';

const CHUNK_CHARACTERS = 1 << 16;

/**
 * Text to a stream, gathered into chunks and held back while the reader is slower. A reader that goes away
 * (`| head -1`) closes the output quietly: later text is dropped. Any other failure of the stream is thrown by the
 * next `write` or by `flush`.
 */
export class Output {
  readonly #stream: Writable;
  #pending = '';
  #failure: Error | undefined;
  #isClosed = false;

  constructor(stream: Writable) {
    this.#stream = stream;
    stream.on('error', (error) => this.#fail(error));
  }

  /** Nobody reads any more. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Resolves when more may be written. */
  async write(text: string): Promise<void> {
    this.#pending += text;
    if (this.#pending.length >= CHUNK_CHARACTERS) await this.flush();
  }

  /** Hands on what was gathered and waits until the stream has taken it. */
  async flush(): Promise<void> {
    const text = this.#pending;
    this.#pending = '';
    if (text !== '' && !this.#isClosed) {
      const error = await new Promise<Error | null | undefined>((resolve) => {
        this.#stream.write(text, resolve);
      });
      if (error) this.#fail(error);
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Flushes and ends the stream; for files. */
  async end(): Promise<void> {
    await this.flush();
    if (this.#stream.destroyed) return;
    this.#stream.end();
    if (!this.#stream.writableFinished && !this.#isClosed) await once(this.#stream, 'close');
    if (this.#failure !== undefined) throw this.#failure;
  }

  #fail(error: NodeJS.ErrnoException): void {
    this.#isClosed = true;
    if (error.code !== 'EPIPE') this.#failure = error;
  }
}
