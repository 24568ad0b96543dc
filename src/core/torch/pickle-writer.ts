const INITIAL_BYTES = 1024;
const PROTOCOL = 2;
const OP = {
  proto: 0x80,
  stop: 0x2e,
  mark: 0x28,
  emptyTuple: 0x29,
  tuple1: 0x85,
  tuple2: 0x86,
  tuple3: 0x87,
  tuple: 0x74,
  emptyDict: 0x7d,
  setItems: 0x75,
  global: 0x63,
  reduce: 0x52,
  persistentId: 0x51,
  false: 0x89,
  uint8: 0x4b,
  uint16: 0x4d,
  int32: 0x4a,
  long: 0x8a,
  text: 0x58,
  put: 0x71,
  longPut: 0x72,
  get: 0x68,
  longGet: 0x6a,
} as const;

/** Opcodes without an argument that a caller writes by name. */
type PlainOp = 'mark' | 'tuple' | 'emptyDict' | 'setItems' | 'reduce' | 'persistentId' | 'false';

const TUPLES = [OP.emptyTuple, OP.tuple1, OP.tuple2, OP.tuple3] as const;

/**
 * Writes a pickle, with those opcodes only that torch writes itself and its `weights_only` reader takes. The caller
 * keeps the order of a stack machine.
 */
export class PickleWriter {
  #bytes = Buffer.allocUnsafe(INITIAL_BYTES);
  #length = 0;
  #memoSize = 0;

  /** The beginning of a whole pickle. */
  protocol(): void {
    this.#code(OP.proto);
    this.#code(PROTOCOL);
  }

  op(name: PlainOp): void {
    this.#code(OP[name]);
  }

  /** Something that Python finds by its module and name. */
  global(module: string, name: string): void {
    const path = `${module}\n${name}\n`;
    this.#reserve(path.length + 1);
    this.#code(OP.global);
    this.#length += this.#bytes.write(path, this.#length, 'latin1');
  }

  /** Well-formed text. */
  text(value: string): void {
    this.#reserve(5 + 3 * value.length);
    const written = this.#bytes.write(value, this.#length + 5, 'utf8');
    this.#code(OP.text);
    this.#length = this.#bytes.writeUInt32LE(written, this.#length) + written;
  }

  /** An integer from 0 to 2^53 - 1. */
  count(value: number): void {
    this.#reserve(10);
    if (value <= 0xff) {
      this.#code(OP.uint8);
      this.#code(value);
    } else if (value <= 0xffff) {
      this.#code(OP.uint16);
      this.#length = this.#bytes.writeUInt16LE(value, this.#length);
    } else if (value <= 0x7fffffff) {
      this.#code(OP.int32);
      this.#length = this.#bytes.writeInt32LE(value, this.#length);
    } else {
      // Of 2^53 - 1 the seventh byte is not full: it holds the sign, too.
      this.#code(OP.long);
      this.#code(7);
      this.#bytes.writeBigInt64LE(BigInt(value), this.#length);
      this.#length += 7;
    }
  }

  /** A tuple of such integers. */
  counts(values: readonly number[]): void {
    const short = TUPLES[values.length];
    if (short === undefined) this.op('mark');
    for (const value of values) this.count(value);
    this.#code(short ?? OP.tuple);
  }

  /** What another writer wrote. */
  part(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Keeps what is on top of the stack for `recall`. */
  remember(): number {
    const index = this.#memoSize++;
    this.#indexed(OP.put, OP.longPut, index);
    return index;
  }

  recall(index: number): void {
    this.#indexed(OP.get, OP.longGet, index);
  }

  /** What is on top of the stack is the whole. */
  finish(): Uint8Array {
    this.#code(OP.stop);
    return this.written();
  }

  written(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #indexed(short: number, long: number, index: number): void {
    this.#code(index <= 0xff ? short : long);
    if (index <= 0xff) {
      this.#code(index);
    } else {
      this.#reserve(4);
      this.#length = this.#bytes.writeUInt32LE(index, this.#length);
    }
  }

  #code(byte: number): void {
    if (this.#length === this.#bytes.length) this.#reserve(1);
    this.#bytes[this.#length++] = byte;
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(2 * (this.#bytes.length + bytes));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}
