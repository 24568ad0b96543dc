import { viewAs } from '../dtype/decode.js';
import type { DecodedBlock, Tally } from './tally.js';

const TWO_32 = 0x1_0000_0000;

/**
 * Adds a block of 64-bit integers, which match when equal. Differences are exact where they are below 2^53; above
 * they are rounded to the nearest float64 for the figures, while the place of the greatest is found from the exact ones. The
 * relative difference divides by the recorded value rounded to float64.
 */
export class Int64Tally {
  readonly #tally: Tally;
  readonly #signed: boolean;
  #largest = 0n;

  constructor(tally: Tally, signed: boolean) {
    this.#tally = tally;
    this.#signed = signed;
  }

  add(block: DecodedBlock, actualBytes: Uint8Array, expectedBytes: Uint8Array): void {
    const tally = this.#tally;
    const actual = viewAs(Uint32Array, actualBytes);
    const expected = viewAs(Uint32Array, expectedBytes);
    const elements = block.expected.length;
    tally.finite += elements;
    for (let i = 0; i < elements; i++) {
      const low = (actual[2 * i] as number) - (expected[2 * i] as number);
      const high = this.#highOf(actual[2 * i + 1] as number) - this.#highOf(expected[2 * i + 1] as number);
      const difference = high * TWO_32 + low;
      block.difference[i] = difference;
      const abs = Math.abs(difference);
      const position = block.begin + i;
      if (abs !== 0) tally.mismatched++;
      if (abs >= tally.maxAbs.value && this.#isLarger(abs, high, low))
        tally.maxAbs = { value: abs, position };
      const magnitude = Math.abs(block.expected[i] as number);
      if (magnitude !== 0 && abs / magnitude > tally.maxRel.value) {
        tally.maxRel = { value: abs / magnitude, position };
      }
    }
  }

  #highOf(word: number): number {
    return this.#signed ? word | 0 : word;
  }

  /** Two differences that round to the same float64 are told apart by their exact values. */
  #isLarger(abs: number, high: number, low: number): boolean {
    const { value } = this.#tally.maxAbs;
    if (abs < Number.MAX_SAFE_INTEGER) return abs > value;
    const signed = BigInt(high) * BigInt(TWO_32) + BigInt(low);
    const exact = signed < 0n ? -signed : signed;
    if (abs === value && exact <= this.#largest) return false;
    this.#largest = exact;
    return true;
  }
}
