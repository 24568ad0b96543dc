/** Powers of two that bring the largest magnitudes near 1 before they are squared. */
interface Scales {
  actual: number;
  expected: number;
  difference: number;
}

const UNSCALED: Scales = { actual: 1, expected: 1, difference: 1 };
/** Squares of numbers whose largest lies in this range can be summed in float64 as they are. */
const SAFE_LOW = 2 ** -400;
const SAFE_HIGH = 2 ** 400;

/**
 * Sums of squares and products for RMSE and cosine, in float64, block after block. Their last digits depend on the
 * order of summation, so no verdict hangs on them.
 */
export class Sums {
  readonly #scales: Scales;
  #actualSquares = 0;
  #expectedSquares = 0;
  #differenceSquares = 0;
  #products = 0;
  #largest: Scales = { actual: 0, expected: 0, difference: 0 };

  constructor(scales: Scales = UNSCALED) {
    this.#scales = scales;
  }

  /** Adds the parts of finite pairs; entries of all other pairs are 0. */
  add(actual: Float64Array, expected: Float64Array, difference: Float64Array): void {
    const scales = this.#scales;
    let aa = 0;
    let ee = 0;
    let dd = 0;
    let ae = 0;
    for (let i = 0; i < actual.length; i++) {
      const a = (actual[i] as number) * scales.actual;
      const e = (expected[i] as number) * scales.expected;
      const d = (difference[i] as number) * scales.difference;
      aa += a * a;
      ee += e * e;
      dd += d * d;
      ae += a * e;
    }
    this.#actualSquares += aa;
    this.#expectedSquares += ee;
    this.#differenceSquares += dd;
    this.#products += ae;
  }

  /** Remembers the largest magnitudes; needed only for dtypes as wide as float64. */
  trackMagnitudes(actual: Float64Array, expected: Float64Array, difference: Float64Array): void {
    const largest = this.#largest;
    largest.actual = largestMagnitude(actual, largest.actual);
    largest.expected = largestMagnitude(expected, largest.expected);
    largest.difference = largestMagnitude(difference, largest.difference);
  }

  /** Scales to sum again with, where squares have overflowed or vanished; undefined where these sums are good. */
  betterScales(): Scales | undefined {
    const { actual, expected, difference } = this.#largest;
    if ([actual, expected, difference].every(isSafe)) return undefined;
    return { actual: scaleFor(actual), expected: scaleFor(expected), difference: scaleFor(difference) };
  }

  /** Root of the mean squared modulus of the difference over `pairs` finite pairs. */
  rmse(pairs: number): number {
    return Math.sqrt(this.#differenceSquares / pairs) / this.#scales.difference;
  }

  /** Cosine of the angle between the two, as vectors of real parts: 1 where both are zero, 0 where one is. */
  cosine(): number {
    if (this.#actualSquares === 0 || this.#expectedSquares === 0) {
      return this.#actualSquares === this.#expectedSquares ? 1 : 0;
    }
    const cosine = this.#products / (Math.sqrt(this.#actualSquares) * Math.sqrt(this.#expectedSquares));
    return Math.max(-1, Math.min(1, cosine));
  }
}

function largestMagnitude(values: Float64Array, atLeast: number): number {
  let largest = atLeast;
  for (let i = 0; i < values.length; i++) {
    const magnitude = Math.abs(values[i] as number);
    if (magnitude > largest) largest = magnitude;
  }
  return largest;
}

function isSafe(largest: number): boolean {
  return largest === 0 || (largest >= SAFE_LOW && largest <= SAFE_HIGH);
}

function scaleFor(largest: number): number {
  if (largest === 0 || largest === Number.POSITIVE_INFINITY) return 1;
  return 2 ** Math.max(-1000, Math.min(1000, -Math.round(Math.log2(largest))));
}
