import { randomInt } from 'node:crypto';

const CHUNK_BYTES = 1024 * 1024;
const FIRST_SLOTS = 4096;

/**
 * Names by number and numbers by name, as bytes outside of the JavaScript heap: hundreds of thousands of strings would
 * make the garbage collector's young generation grow for good. Names that are no Unicode text are made such.
 */
export class NameTable {
  size = 0;
  readonly #chunks: Buffer[] = [];
  /** Free bytes begin here, in the last chunk. */
  #used = CHUNK_BYTES;
  /** By number: the chunk, the place in it, and the length. */
  #chunk = new Uint32Array(FIRST_SLOTS);
  #begin = new Uint32Array(FIRST_SLOTS);
  #length = new Uint32Array(FIRST_SLOTS);
  #hash = new Uint32Array(FIRST_SLOTS);
  /** Open addressing: number + 1, or 0 for a free slot. At most half of the slots are taken. */
  #slots = new Uint32Array(2 * FIRST_SLOTS);

  at(number: number): string {
    if (number >= this.size) return '';
    return this.#bytesOf(number).toString('utf8');
  }

  find(name: string): number | undefined {
    const bytes = Buffer.from(name, 'utf8');
    const found = this.#slots[this.#slotOf(bytes, hashOf(bytes))] ?? 0;
    return found === 0 ? undefined : found - 1;
  }

  /** Number of a new name. */
  add(name: string): number {
    const bytes = Buffer.from(name, 'utf8');
    const number = this.size++;
    if (number === this.#chunk.length) this.#grow();
    if (this.#used + bytes.length > (this.#chunks.at(-1)?.length ?? 0)) {
      this.#chunks.push(Buffer.allocUnsafeSlow(Math.max(CHUNK_BYTES, bytes.length)));
      this.#used = 0;
    }
    this.#chunks.at(-1)?.set(bytes, this.#used);
    this.#chunk[number] = this.#chunks.length - 1;
    this.#begin[number] = this.#used;
    this.#length[number] = bytes.length;
    this.#used += bytes.length;
    const hash = hashOf(bytes);
    this.#hash[number] = hash;
    this.#slots[this.#slotOf(bytes, hash)] = number + 1;
    return number;
  }

  /** Where a name is, or where it would go. */
  #slotOf(bytes: Buffer, hash: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const taken = this.#slots[slot] ?? 0;
      if (taken === 0) return slot;
      if (this.#hash[taken - 1] === hash && this.#bytesOf(taken - 1).equals(bytes)) return slot;
    }
  }

  #bytesOf(number: number): Buffer {
    const begin = this.#begin[number] ?? 0;
    const chunk = this.#chunks[this.#chunk[number] ?? 0] ?? Buffer.alloc(0);
    return chunk.subarray(begin, begin + (this.#length[number] ?? 0));
  }

  #grow(): void {
    const capacity = this.#chunk.length * 2;
    this.#chunk = grown(this.#chunk, capacity);
    this.#begin = grown(this.#begin, capacity);
    this.#length = grown(this.#length, capacity);
    this.#hash = grown(this.#hash, capacity);
    this.#slots = new Uint32Array(2 * capacity);
    const mask = this.#slots.length - 1;
    for (let number = 0; number < this.size - 1; number++) {
      let slot = (this.#hash[number] ?? 0) & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = number + 1;
    }
  }
}

function grown(from: Uint32Array<ArrayBuffer>, capacity: number): Uint32Array<ArrayBuffer> {
  const to = new Uint32Array(capacity);
  to.set(from);
  return to;
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
