const CAPACITY = 10_000;

/**
 * Percentiles of durations in bounded memory: exact up to 10,000 of them, past that from a uniform sample of 10,000
 * (algorithm R; the generator is seeded, so that the same session always gives the same numbers).
 */
export class DurationSample {
  #count = 0;
  #random = 0x9e3779b9;
  readonly #kept: number[] = [];

  add(durationUs: number): void {
    this.#count += 1;
    if (this.#kept.length < CAPACITY) {
      this.#kept.push(durationUs);
      return;
    }
    const place = Math.floor(this.#nextRandom() * this.#count);
    if (place < CAPACITY) this.#kept[place] = durationUs;
  }

  /** The smallest duration that at least `fraction` of them don't exceed; null where there is none. */
  percentiles(fractions: readonly number[]): (number | null)[] {
    const sorted = Float64Array.from(this.#kept).sort();
    return fractions.map((fraction) => sorted[Math.max(0, Math.ceil(fraction * sorted.length) - 1)] ?? null);
  }

  /** From 0 to 1, by xorshift. */
  #nextRandom(): number {
    let x = this.#random;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#random = x >>> 0;
    return this.#random / 2 ** 32;
  }
}
