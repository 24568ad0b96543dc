import { TorchFault } from './fault.js';

/** Reads the arguments of opcodes one after the other; never past the end. Numbers are little-endian but for `float`. */
export class PickleCursor {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get position(): number {
    return this.#at;
  }

  byte(): number {
    return this.#bytes[this.#advance(1)] ?? 0;
  }

  uint16(): number {
    return this.#bytes.readUInt16LE(this.#advance(2));
  }

  int32(): number {
    return this.#bytes.readInt32LE(this.#advance(4));
  }

  uint32(): number {
    return this.#bytes.readUInt32LE(this.#advance(4));
  }

  /** Inexact past 2^53, which no pickle is long enough for. */
  length64(): number {
    const low = this.uint32();
    return this.uint32() * 2 ** 32 + low;
  }

  float(): number {
    return this.#bytes.readDoubleBE(this.#advance(8));
  }

  /** A view of the next bytes. */
  take(length: number): Uint8Array {
    const begin = this.#advance(length);
    return this.#bytes.subarray(begin, begin + length);
  }

  skip(length: number): void {
    this.#advance(length);
  }

  utf8(length: number): string {
    const begin = this.#advance(length);
    const text = this.#bytes.toString('utf8', begin, begin + length);
    if (text.includes('\ufffd') && Buffer.byteLength(text) !== length) {
      throw new TorchFault(`the pickle has a string at byte ${begin} that is not UTF-8`);
    }
    return text;
  }

  latin1(length: number): string {
    const begin = this.#advance(length);
    return this.#bytes.toString('latin1', begin, begin + length);
  }

  /** The text up to the end of the line, which is passed over. */
  line(longest: number): string {
    const begin = this.#at;
    const end = this.#bytes.indexOf(0x0a, begin);
    if (end < 0 || end - begin > longest) {
      throw new TorchFault(`the pickle has no line of at most ${longest} characters at byte ${begin}`);
    }
    this.#at = end + 1;
    return this.#bytes.toString('utf8', begin, end);
  }

  #advance(length: number): number {
    const begin = this.#at;
    // The negation also refuses NaN and negative lengths.
    if (!(length >= 0 && length <= this.#bytes.length - begin)) {
      throw new TorchFault(
        `the pickle ends early: ${length} bytes wanted at byte ${begin} of ${this.#bytes.length}`,
      );
    }
    this.#at = begin + length;
    return begin;
  }
}
