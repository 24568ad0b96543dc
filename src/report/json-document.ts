import { errorFields, type Failure } from '../cli/failure.js';
import { jsonText } from './json-text.js';
import type { Sink } from './sink.js';

/**
 * One JSON object written piece by piece, an array's items each on a line of its own, so that no report is ever
 * held whole. Nothing is written before the first piece.
 */
export class JsonDocument {
  readonly #sink: Sink;
  #open: '' | 'object' | 'array' = '';
  #isEmpty = true;

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  get isStarted(): boolean {
    return this.#open !== '';
  }

  /** Adds members; undefined ones are left out. */
  async members(members: object): Promise<void> {
    await this.#closeArray();
    for (const [name, value] of Object.entries(members)) {
      if (value !== undefined)
        await this.#sink.write(`${this.#opening()}${JSON.stringify(name)}:${jsonText(value)}`);
    }
  }

  /** Begins an array member, which `item` adds to until the next member. */
  async array(name: string): Promise<void> {
    await this.#closeArray();
    await this.#sink.write(`${this.#opening()}${JSON.stringify(name)}:[`);
    this.#open = 'array';
    this.#isEmpty = true;
  }

  async item(item: unknown): Promise<void> {
    await this.#sink.write(`${this.#isEmpty ? '' : ','}\n${jsonText(item)}`);
    this.#isEmpty = false;
  }

  async end(): Promise<void> {
    await this.#closeArray();
    await this.#sink.write(`${this.#open === '' ? '{' : ''}}\n`);
    await this.#sink.close();
  }

  /** Ends a document that can't be completed: what is there stays, with what went wrong beside it. */
  async fail(failure: Failure): Promise<void> {
    await this.members({ error: errorFields(failure), exitCode: failure.exitCode });
    await this.end();
  }

  #opening(): string {
    const opening = this.#open === '' ? '{' : this.#isEmpty ? '' : ',';
    this.#open = 'object';
    this.#isEmpty = false;
    return opening;
  }

  async #closeArray(): Promise<void> {
    if (this.#open !== 'array') return;
    this.#open = 'object';
    await this.#sink.write(this.#isEmpty ? ']' : '\n]');
    this.#isEmpty = false;
  }
}
