import { displayWidth, truncateTo } from './display-width.js';

export interface Column {
  title: string;
  align?: 'left' | 'right';
  /** May be cut with `…` where the terminal is narrower than the table; the widest such column is cut first. */
  shrinks?: boolean;
}

/** Colours a padded cell, after its width was taken. */
export type PaintCell = (cell: string, column: number) => string;

const GAP = '  ';
const NARROWEST = 6;

/**
 * Lays out rows of printable cells, one line each, without trailing spaces. Widths are taken from the rows that are
 * known at first; a later cell that is longer is cut on a terminal, and pushes its line out elsewhere.
 */
export class Table {
  readonly #columns: readonly Column[];
  readonly #widths: number[];
  readonly #isLimited: boolean;

  /** `width` is the terminal's, Infinity where there is none. */
  constructor(columns: readonly Column[], rows: readonly (readonly string[])[], width: number) {
    this.#columns = columns;
    this.#isLimited = Number.isFinite(width);
    this.#widths = columns.map(({ title }, index) =>
      rows.reduce((widest, row) => Math.max(widest, displayWidth(row[index] ?? '')), displayWidth(title)),
    );
    this.#shrinkTo(width);
  }

  header(): string {
    return this.row(this.#columns.map(({ title }) => title));
  }

  row(cells: readonly string[], paint: PaintCell = (cell) => cell): string {
    const padded = this.#columns.map(({ align }, index) => {
      const width = this.#widths[index] ?? 0;
      const text = this.#isLimited ? truncateTo(cells[index] ?? '', width) : (cells[index] ?? '');
      const padding = ' '.repeat(Math.max(0, width - displayWidth(text)));
      if (align === 'right') return padding + paint(text, index);
      return paint(text, index) + (index === this.#columns.length - 1 ? '' : padding);
    });
    return padded.join(GAP).trimEnd();
  }

  #shrinkTo(width: number): void {
    const gaps = GAP.length * (this.#columns.length - 1);
    let excess = this.#widths.reduce((sum, column) => sum + column, gaps) - width;
    while (excess > 0) {
      const [widest, next] = this.#widestShrinking();
      const current = widest === undefined ? 0 : (this.#widths[widest] ?? 0);
      if (widest === undefined || current <= NARROWEST) return;
      // Down to the next widest column at once, then both by one in turn.
      const cut = Math.min(excess, Math.max(1, current - Math.max(NARROWEST, next)));
      this.#widths[widest] = current - cut;
      excess -= cut;
    }
  }

  /** Index of the widest column that may be cut, and the width of the one after it. */
  #widestShrinking(): [number | undefined, number] {
    const byWidth = this.#widths
      .map((width, index) => ({ width, index }))
      .filter(({ index }) => this.#columns[index]?.shrinks === true)
      .sort((a, b) => b.width - a.width);
    return [byWidth[0]?.index, byWidth[1]?.width ?? 0];
  }
}
