import { randomInt } from 'node:crypto';

const CHUNK_BYTES = 1024 * 1024;
const FIRST_CAPACITY = 4096;

/**
 * Names by number and numbers by name, as bytes outside of the JavaScript heap: hundreds of thousands of strings would
 * make the garbage collector's young generation grow for good. Names that are no Unicode text are made such.
 */
export class NameTable {
  size = 0;
  readonly #chunks: Buffer[] = [];
  /** Free bytes begin here, in the last chunk. */
  #used = CHUNK_BYTES;
  /** By number: chunk times 1 MiB and place in the chunk; a name that is longer begins one of its own. */
  #begin = new Float64Array(FIRST_CAPACITY);
  #length = new Uint32Array(FIRST_CAPACITY);
  /** Open addressing: number + 1, or 0 for a free slot. At most half of the slots are taken. */
  #slots = new Uint32Array(2 * FIRST_CAPACITY);

  at(number: number): string {
    return number < this.size ? this.#bytesOf(number).toString('utf8') : '';
  }

  find(name: string): number | undefined {
    const found = this.#slots[this.#slotOf(Buffer.from(name, 'utf8'))] ?? 0;
    return found === 0 ? undefined : found - 1;
  }

  /** Number of a new name. */
  add(name: string): number {
    const bytes = Buffer.from(name, 'utf8');
    const number = this.size++;
    if (number === this.#length.length) this.#grow();
    if (this.#used + bytes.length > CHUNK_BYTES) {
      this.#chunks.push(Buffer.allocUnsafeSlow(Math.max(CHUNK_BYTES, bytes.length)));
      this.#used = 0;
    }
    this.#chunks.at(-1)?.set(bytes, this.#used);
    this.#begin[number] = (this.#chunks.length - 1) * CHUNK_BYTES + this.#used;
    this.#length[number] = bytes.length;
    this.#used = Math.min(this.#used + bytes.length, CHUNK_BYTES);
    this.#slots[this.#slotOf(bytes)] = number + 1;
    return number;
  }

  /** Where a name is, or where it would go. */
  #slotOf(bytes: Buffer): number {
    const mask = this.#slots.length - 1;
    for (let slot = hashOf(bytes) & mask; ; slot = (slot + 1) & mask) {
      const taken = this.#slots[slot] ?? 0;
      if (taken === 0) return slot;
      if (this.#length[taken - 1] === bytes.length && this.#bytesOf(taken - 1).equals(bytes)) return slot;
    }
  }

  #bytesOf(number: number): Buffer {
    const begin = this.#begin[number] ?? 0;
    const chunk = this.#chunks[Math.floor(begin / CHUNK_BYTES)] ?? Buffer.alloc(0);
    const place = begin % CHUNK_BYTES;
    return chunk.subarray(place, place + (this.#length[number] ?? 0));
  }

  #grow(): void {
    const capacity = this.#length.length * 2;
    const begin = new Float64Array(capacity);
    begin.set(this.#begin);
    this.#begin = begin;
    const length = new Uint32Array(capacity);
    length.set(this.#length);
    this.#length = length;
    this.#slots = new Uint32Array(2 * capacity);
    for (let number = 0; number < this.size - 1; number++) {
      this.#slots[this.#slotOf(this.#bytesOf(number))] = number + 1;
    }
  }
}

/** Names made to collide would make every look-up walk over all of them: they can't be made without this. */
const SEED = randomInt(2 ** 32);

/** FNV-1a with a final mix, since only the low bits choose the slot. */
function hashOf(bytes: Buffer): number {
  let hash = SEED;
  for (let index = 0; index < bytes.length; index++) {
    hash = Math.imul(hash ^ (bytes[index] ?? 0), 0x01000193);
  }
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}
