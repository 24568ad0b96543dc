import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { dtypeFromSafetensors } from '../dtype/index.js';
import { FirError, messageOf } from '../errors.js';
import { readFully } from '../io/positioned-io.js';
import { quoteKey } from './quote-key.js';
import { readHeader } from './read-header.js';

/** One tensor of a file. `begin` and `end` are absolute file offsets. */
export interface SafetensorsEntry {
  key: string;
  /** As in the file: `F32`. */
  dtype: string;
  /** As in the file, where `F4` counts single elements. */
  shape: number[];
  begin: number;
  end: number;
}

const DEFAULT_CHUNK_BYTES = 4 * 2 ** 20;
/** Chunks end between elements of every dtype. */
const CHUNK_MULTIPLE = 16;

/** An open safetensors file of which only the header has been read. */
export class SafetensorsFile {
  readonly path: string;
  readonly entries: ReadonlyMap<string, SafetensorsEntry>;
  readonly metadata: ReadonlyMap<string, string>;
  /** The entries whose dtype has no meaning here; their bytes can be read all the same. */
  readonly unknownDtypes: readonly SafetensorsEntry[];
  readonly #fileBytes: number;
  #fd: number | undefined;

  private constructor(path: string, fd: number, fileBytes: number) {
    const header = readHeader(fd, fileBytes, path);
    this.path = path;
    this.metadata = header.metadata;
    this.entries = new Map(
      // Field by field: a spread makes objects that outlive the young generation, a hundred thousand files long.
      header.tensors.map(({ key, dtype, shape, begin, end }) => [
        key,
        { key, dtype, shape, begin: begin + header.dataStart, end: end + header.dataStart },
      ]),
    );
    this.unknownDtypes = [...this.entries.values()].filter((entry) => !dtypeFromSafetensors(entry.dtype));
    this.#fileBytes = fileBytes;
    this.#fd = fd;
  }

  /** Opens a file and checks its header. Throws NOT_FOUND, or SAFETENSORS_INVALID naming the fault and the tensor. */
  static open(path: string): SafetensorsFile {
    let fd: number;
    try {
      // Without O_NONBLOCK a named pipe in a hostile session would hold the reader for ever.
      fd = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    } catch (error) {
      throw new FirError('NOT_FOUND', `can not open: ${messageOf(error)}`, { where: path, cause: error });
    }
    try {
      const status = fstatSync(fd);
      if (!status.isFile()) {
        throw new FirError('SAFETENSORS_INVALID', 'not a safetensors file (not a regular file)', {
          where: path,
        });
      }
      return new SafetensorsFile(path, fd, status.size);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  /** All bytes of a tensor, in memory of their own. Throws TENSOR_DATA_MISSING for an unknown key. */
  read(key: string): Uint8Array {
    const { begin, end } = this.#entry(key);
    return this.readRange(begin, end);
  }

  /**
   * The bytes of the file from `begin` up to `end`, put into `into` where it is given. Throws TENSOR_DATA_MISSING for a
   * range outside of the file and for a file that shrank since it was opened.
   */
  readRange(begin: number, end: number, into?: Uint8Array): Uint8Array {
    const length = end - begin;
    if (!(Number.isSafeInteger(begin) && Number.isSafeInteger(end) && begin >= 0 && length >= 0)) {
      throw this.#missing(`bytes ${begin} to ${end} are not a range`);
    }
    if (end > this.#fileBytes) {
      throw this.#missing(`bytes ${begin} to ${end} of a file of ${this.#fileBytes} bytes`);
    }
    const target = into === undefined ? allocate(length, this.path) : into.subarray(0, length);
    if (target.byteLength < length) {
      throw this.#missing(`${length} bytes into a buffer of ${target.byteLength}`);
    }
    const read = readFully(this.#openFd(), target, begin);
    if (read < length) {
      throw this.#missing(`the file ended at byte ${begin + read} while it was read: it shrank`);
    }
    return target;
  }

  /** The bytes of a tensor piece by piece, each in memory of its own and ending between elements. */
  *chunks(key: string, chunkBytes = DEFAULT_CHUNK_BYTES): Generator<Uint8Array> {
    const { begin, end } = this.#entry(key);
    const step = Math.max(Math.floor(chunkBytes / CHUNK_MULTIPLE), 1) * CHUNK_MULTIPLE;
    for (let at = begin; at < end; at += step) yield this.readRange(at, Math.min(at + step, end));
  }

  /** Gives the file back; reading afterwards is an error, closing again is none. */
  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #entry(key: string): SafetensorsEntry {
    const entry = this.entries.get(key);
    if (entry === undefined) throw this.#missing(`no tensor ${quoteKey(key)}`);
    return entry;
  }

  #openFd(): number {
    if (this.#fd === undefined) throw new FirError('INTERNAL', 'read after close', { where: this.path });
    return this.#fd;
  }

  #missing(message: string): FirError {
    return new FirError('TENSOR_DATA_MISSING', message, { where: this.path });
  }
}

/** Memory that begins at offset 0 of its buffer, so that every typed array can view it; each byte will be overwritten. */
function allocate(byteLength: number, path: string): Uint8Array {
  try {
    const buffer = Buffer.allocUnsafeSlow(byteLength);
    return new Uint8Array(buffer.buffer, 0, byteLength);
  } catch (error) {
    throw new FirError('TOO_LARGE', `${byteLength} bytes do not fit into memory at once`, {
      where: path,
      cause: error,
    });
  }
}
