import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { FirError, messageOf } from '../errors.js';
import { readFully } from '../io/positioned-io.js';
import { TorchFault } from './fault.js';

/** Holds every small file, and the end records and directory of most others. */
const WINDOW_BYTES = 2 ** 16 + 22;

/** A file read by position. Its first and last 64 KiB are read once; one that is no longer is closed at once. */
export class ByteSource {
  readonly size: number;
  readonly #tail: Buffer;
  #head: Buffer | undefined;
  #fd: number | undefined;

  /** Opens a regular file. Throws NOT_FOUND where it can not be opened. */
  constructor(path: string) {
    try {
      // Without O_NONBLOCK a named pipe in a hostile session would hold the reader for ever.
      this.#fd = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    } catch (error) {
      throw new FirError('NOT_FOUND', `can not open: ${messageOf(error)}`, { where: path, cause: error });
    }
    try {
      const status = fstatSync(this.#fd);
      if (!status.isFile()) throw new TorchFault('not a torch.save file (not a regular file)');
      this.size = status.size;
      const tailBytes = Math.min(this.size, WINDOW_BYTES);
      this.#tail = this.#load(this.size - tailBytes, tailBytes);
    } catch (error) {
      this.close();
      throw error;
    }
    if (this.#tail.length === this.size) {
      this.#head = this.#tail;
      this.close();
    }
  }

  /** The bytes from `begin` up to `end`, which must lie in the file; not to be written to. */
  read(begin: number, end: number): Buffer {
    const tailBegin = this.size - this.#tail.length;
    if (begin >= tailBegin) return this.#tail.subarray(begin - tailBegin, end - tailBegin);
    if (end <= WINDOW_BYTES) {
      this.#head ??= this.#load(0, WINDOW_BYTES);
      return this.#head.subarray(begin, end);
    }
    return this.#load(begin, end - begin);
  }

  /** Fills `into` with the bytes from `begin` on, which must lie in the file. */
  readInto(into: Uint8Array, begin: number): void {
    const end = begin + into.byteLength;
    const tailBegin = this.size - this.#tail.length;
    if (begin >= tailBegin) {
      into.set(this.#tail.subarray(begin - tailBegin, end - tailBegin));
      return;
    }
    if (this.#fd === undefined) throw new FirError('INTERNAL', 'read after close');
    const read = readFully(this.#fd, into, begin);
    if (read < into.byteLength) {
      throw new TorchFault(`the file ended at byte ${begin + read} while it was read: it shrank`);
    }
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #load(begin: number, length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    if (this.#fd === undefined) throw new FirError('INTERNAL', 'read after close');
    const read = readFully(this.#fd, bytes, begin);
    if (read < length) throw new TorchFault(`the file ended at byte ${begin + read} while it was read`);
    return bytes;
  }
}
