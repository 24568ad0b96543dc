import type { Paint } from '../cli/colour.js';
import { formatCount } from '../cli/format.js';
import { printable } from '../cli/printable.js';
import type { Sink } from './sink.js';

const MOST_ROWS = 40;

/** Lines of a command that lists what it is about to do: rows, of which a few stand for many, then notes. */
export class Listing {
  readonly #sink: Sink;
  readonly #paint: Paint;

  constructor(sink: Sink, paint: Paint) {
    this.#sink = sink;
    this.#paint = paint;
  }

  async line(line: string): Promise<void> {
    await this.#sink.write(`${line}\n`);
  }

  /** Writes the rows, all of them or the first forty. Returns how many there are. */
  async rows(rows: Iterable<string>, isWhole: boolean): Promise<number> {
    let count = 0;
    for (const row of rows) {
      count += 1;
      if (isWhole || count <= MOST_ROWS) await this.line(row);
    }
    if (!isWhole && count > MOST_ROWS) {
      await this.line(`  … and ${formatCount(count - MOST_ROWS, 'more line')}; --dry-run shows all`);
    }
    return count;
  }

  /** Notes below the rows, and an empty line. What follows may take a while, or be a question: all is out by then. */
  async notes(notes: readonly string[], ...more: readonly string[]): Promise<void> {
    if (notes.length > 0) await this.line('');
    for (const note of notes) await this.note(note);
    await this.line('');
    for (const line of more) await this.line(line);
    await this.#sink.flush();
  }

  async note(note: string): Promise<void> {
    await this.line(`${this.#paint.warn('note:')} ${printable(note)}`);
  }

  /** The summary is the last line. */
  async close(summary: string, exitCode: number): Promise<void> {
    await this.line(exitCode === 0 ? this.#paint.good(summary) : this.#paint.warn(summary));
    await this.#sink.close();
  }

  async abandon(): Promise<false> {
    await this.#sink.close();
    return false;
  }
}
