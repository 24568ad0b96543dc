import { FirError } from '../../errors.js';

/** A JSON document and the bytes that it speaks of. */
export interface Frame {
  json: string;
  payload: Buffer;
}

const MARK_BYTES = 16;
const HEADER_BYTES = MARK_BYTES + 4 + 8;
/** More than any answer needs, large tensors being in files. */
const MAX_JSON_BYTES = 256 * 1024 * 1024;
const MAX_PAYLOAD_BYTES = 1024 * 1024 * 1024;

/**
 * What goes before the payload of a frame: the pair's mark (16 bytes), the length of the JSON (u32) and of the payload
 * (u64), both little-endian, and the JSON itself.
 */
export function encodeFrameHead(mark: string, json: string, payloadBytes: number): Buffer {
  const length = Buffer.byteLength(json);
  const head = Buffer.allocUnsafe(HEADER_BYTES + length);
  head.write(mark, 0, 'hex');
  head.writeUInt32LE(length, MARK_BYTES);
  head.writeBigUInt64LE(BigInt(payloadBytes), MARK_BYTES + 4);
  head.write(json, HEADER_BYTES);
  return head;
}

/** Cuts a stream into frames. Throws FirError WORKER_FAILED where something else was written to it. */
export class FrameReader {
  readonly #mark: Buffer;
  readonly #onFrame: (frame: Frame) => void;
  #chunks: Buffer[] = [];
  #held = 0;
  #needed = HEADER_BYTES;

  constructor(mark: string, onFrame: (frame: Frame) => void) {
    this.#mark = Buffer.from(mark, 'hex');
    this.#onFrame = onFrame;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#held += chunk.length;
    while (this.#held >= this.#needed) {
      const bytes = this.#join();
      if (!bytes.subarray(0, MARK_BYTES).equals(this.#mark)) throw brokenPipe();
      const jsonBytes = bytes.readUInt32LE(MARK_BYTES);
      const payloadBytes = Number(bytes.readBigUInt64LE(MARK_BYTES + 4));
      if (jsonBytes > MAX_JSON_BYTES || payloadBytes > MAX_PAYLOAD_BYTES) throw brokenPipe();
      const end = HEADER_BYTES + jsonBytes + payloadBytes;
      if (bytes.length < end) {
        this.#needed = end;
        return;
      }
      this.#keep(bytes.subarray(end));
      const json = bytes.toString('utf8', HEADER_BYTES, HEADER_BYTES + jsonBytes);
      this.#onFrame({ json, payload: bytes.subarray(HEADER_BYTES + jsonBytes, end) });
    }
  }

  #join(): Buffer {
    const [first] = this.#chunks;
    const bytes = this.#chunks.length === 1 && first !== undefined ? first : Buffer.concat(this.#chunks);
    this.#chunks = [bytes];
    return bytes;
  }

  #keep(rest: Buffer): void {
    this.#chunks = rest.length === 0 ? [] : [rest];
    this.#held = rest.length;
    this.#needed = HEADER_BYTES;
  }
}

function brokenPipe(): FirError {
  return new FirError('WORKER_FAILED', 'the called code wrote to the pipe of the replay');
}
