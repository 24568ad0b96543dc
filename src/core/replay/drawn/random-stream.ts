import { createHash } from 'node:crypto';
import { philox } from './philox.js';

const UNIT = 2 ** -53;

/** Random numbers of one tensor: the same for the same seed and name, and those of any place without those before it. */
export class RandomStream {
  readonly #key: readonly [number, number];
  readonly #counter = new Uint32Array(4);
  readonly #block = new Uint32Array(4);

  /** `name` tells the stream from the others of the seed. */
  constructor(seed: number, name: string) {
    const digest = createHash('sha256').update(`${seed}\0${name}`).digest();
    this.#key = [digest.readUInt32LE(0), digest.readUInt32LE(4)];
  }

  /** Two numbers in [0, 1) with 53 random bits each, into `pair`: those of the place `index`. */
  pair(index: number, pair: Float64Array): void {
    this.#draw(index);
    const [a = 0, b = 0, c = 0, d = 0] = this.#block;
    pair[0] = ((a >>> 5) * 2 ** 26 + (b >>> 6)) * UNIT;
    pair[1] = ((c >>> 5) * 2 ** 26 + (d >>> 6)) * UNIT;
  }

  /** 128 random bits. */
  bits(index: number): bigint {
    this.#draw(index);
    return [...this.#block].reduce((bits, word) => (bits << 32n) | BigInt(word), 0n);
  }

  #draw(index: number): void {
    this.#counter[0] = index % 2 ** 32;
    this.#counter[1] = Math.floor(index / 2 ** 32);
    philox(this.#counter, this.#key, this.#block);
  }
}
