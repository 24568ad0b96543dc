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
  /** The greatest difference beyond 2^53, exactly. */
  #largest = 0n;

  constructor(tally: Tally, signed: boolean) {
    this.#tally = tally;
    this.#signed = signed;
  }

  add(block: DecodedBlock, actualBytes: Uint8Array, expectedBytes: Uint8Array): void {
    const tally = this.#tally;
    const { difference: differences, expected: recorded, begin } = block;
    const actual = viewAs(Uint32Array, actualBytes);
    const expected = viewAs(Uint32Array, expectedBytes);
    tally.finite += recorded.length;
    for (let i = 0; i < recorded.length; i++) {
      const low = (actual[2 * i] as number) - (expected[2 * i] as number);
      const high = this.#highOf(actual[2 * i + 1] as number) - this.#highOf(expected[2 * i + 1] as number);
      const difference = high * TWO_32 + low;
      const abs = Math.abs(difference);
      const magnitude = Math.abs(recorded[i] as number);
      differences[i] = difference;
      if (abs !== 0) tally.mismatched++;
      if (abs > Number.MAX_SAFE_INTEGER) this.#raiseExactly(abs, high, low, begin + i);
      else if (abs > tally.maxAbs.value) tally.maxAbs = { value: abs, position: begin + i };
      if (magnitude !== 0 && (abs !== 0 || tally.maxRel.value < 0)) {
        const relative = abs / magnitude;
        if (relative > tally.maxRel.value) tally.maxRel = { value: relative, position: begin + i };
      }
    }
  }

  #highOf(word: number): number {
    return this.#signed ? word | 0 : word;
  }

  /** Differences that round to the same float64 are told apart by their exact values. */
  #raiseExactly(abs: number, high: number, low: number, position: number): void {
    if (abs < this.#tally.maxAbs.value) return;
    const signed = BigInt(high) * BigInt(TWO_32) + BigInt(low);
    const exact = signed < 0n ? -signed : signed;
    if (exact <= this.#largest) return;
    this.#largest = exact;
    this.#tally.maxAbs = { value: abs, position };
  }
}
