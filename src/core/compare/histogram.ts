import type { Histogram } from './statistics-types.js';

/** Counts finite values into bins of equal width from `min` to `max`; all into one bin where those are equal. */
export class HistogramCounter {
  readonly result: Histogram;
  readonly #unit: number;
  readonly #min: number;
  readonly #span: number;

  /** `bins` is at least 1. */
  constructor(min: number, max: number, bins: number) {
    this.#unit = unitOf(min, max);
    this.#min = min / this.#unit;
    this.#span = max / this.#unit - this.#min;
    const count = min === max ? 1 : bins;
    const edges = Array.from(
      { length: count },
      (_, i) => (this.#min + (this.#span * i) / count) * this.#unit,
    );
    edges[0] = min;
    this.result = { edges: [...edges, max], counts: new Array<number>(count).fill(0) };
  }

  /** `value` lies between min and max. Rounding may put it a bin off its edges, so they decide. */
  add(value: number): void {
    const { edges, counts } = this.result;
    const last = counts.length - 1;
    const share = this.#span === 0 ? 0 : (value / this.#unit - this.#min) / this.#span;
    let bin = Math.min(last, Math.floor(share * counts.length));
    while (bin > 0 && value < (edges[bin] as number)) bin--;
    while (bin < last && value >= (edges[bin + 1] as number)) bin++;
    counts[bin] = (counts[bin] as number) + 1;
  }
}

/** A power of two near the range, 1 for none: in this unit neither a range nor its square overflows or vanishes. */
export function unitOf(min: number, max: number): number {
  const range = max - min;
  return range === 0 ? 1 : 2 ** Math.min(1023, Math.floor(Math.log2(range)));
}
