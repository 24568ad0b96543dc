import { FirError } from '../errors.js';
import { quoteKey } from '../safetensors/quote-key.js';
import { ByteSource } from './byte-source.js';
import { collectEntries } from './collect-entries.js';
import { naming, TorchFault } from './fault.js';
import { LIMITS } from './limits.js';
import { readPickle } from './read-pickle.js';
import { StorageTable } from './storages.js';
import { readTorchArchive } from './torch-archive.js';
import { TorchHost } from './torch-host.js';
import type { TorchOpaque, TorchStorage, TorchTensor } from './types.js';
import type { ZipRecord } from './zip-directory.js';
import { checkRecord, NOTHING_READ, type RunningSum, readOn, readRecord } from './zip-record.js';

/** An open torch.save file of which only the directory and the pickle have been read. Nothing in it can run. */
export class TorchFile {
  readonly path: string;
  /**
   * What stands in the dict at the top by its keys; values in containers as `a.0.b`, those of a list at the top as `0`,
   * a tensor at the top as the empty key.
   */
  readonly entries: ReadonlyMap<string, TorchTensor | TorchOpaque>;
  /** Names of globals in the pickle that tensors do not need: `os.system`. They were never looked up or called. */
  readonly foreignGlobals: readonly string[];
  readonly #source: ByteSource;
  readonly #findRecord: (key: string) => ZipRecord | undefined;
  readonly #verified = new Set<string>();
  /** Of storages that were read from their beginning on. */
  readonly #sums = new Map<string, RunningSum>();
  /** The last compressed storage that was read. */
  #inflated: { key: string; content: Uint8Array } | undefined;

  private constructor(path: string, source: ByteSource) {
    const archive = readTorchArchive(source);
    const host = new TorchHost(new StorageTable(source, archive.findStorage));
    this.path = path;
    this.entries = collectEntries(readPickle(archive.pickle, host));
    this.foreignGlobals = host.foreignGlobals;
    this.#source = source;
    this.#findRecord = archive.findStorage;
  }

  /** Opens a file and reads its pickle as data. Throws NOT_FOUND, or TORCH_INVALID naming the fault. */
  static open(path: string): TorchFile {
    return naming(path, () => {
      const source = new ByteSource(path);
      try {
        return new TorchFile(path, source);
      } catch (error) {
        source.close();
        throw error;
      }
    });
  }

  /**
   * The bytes of a storage from `begin` up to `end`, put into `into` where it is given. A storage that is read whole has
   * its checksum compared. Throws TORCH_INVALID, TENSOR_DATA_MISSING for a range outside of the storage.
   */
  readRange(storage: TorchStorage, begin: number, end: number, into?: Uint8Array): Uint8Array {
    const length = end - begin;
    const isRange = Number.isSafeInteger(begin) && Number.isSafeInteger(end) && begin >= 0 && length >= 0;
    if (!isRange || end > storage.byteLength) {
      throw this.#missing(`bytes ${begin} to ${end} of a storage of ${storage.byteLength} bytes`);
    }
    const target = into === undefined ? this.#allocate(length) : into.subarray(0, length);
    if (target.byteLength < length) {
      throw this.#missing(`${length} bytes into a buffer of ${target.byteLength}`);
    }
    naming(this.path, () => this.#fill(storage, begin, target));
    return target;
  }

  /**
   * Compares a storage's checksum, once, where the archive has one. What was read in order from its beginning on is not
   * read again for it. Throws TORCH_INVALID naming the record.
   */
  verify(storage: TorchStorage): void {
    const { region, key } = storage;
    if (this.#verified.has(key)) return;
    naming(this.path, () => {
      const record = this.#recordOf(key);
      if (region === undefined) this.#inflate(key, record);
      else if (record.crc !== 0) {
        checkRecord(this.#source, record, region.begin, this.#sums.get(key) ?? NOTHING_READ);
      }
    });
    this.#sums.delete(key);
    this.#verified.add(key);
  }

  /** Gives the file back; reading afterwards is an error, closing again is none. */
  close(): void {
    this.#inflated = undefined;
    this.#source.close();
  }

  #fill(storage: TorchStorage, begin: number, target: Uint8Array): void {
    if (target.byteLength === 0) return;
    const { key, region, byteLength } = storage;
    const record = this.#recordOf(key);
    if (region === undefined) {
      target.set(this.#inflate(key, record).subarray(begin, begin + target.byteLength));
      return;
    }
    const sum = begin === 0 ? NOTHING_READ : this.#sums.get(key);
    if (record.crc === 0 || this.#verified.has(key) || sum?.end !== begin) {
      this.#source.readInto(target, region.begin + begin);
      return;
    }
    this.#sums.set(key, readOn(this.#source, region.begin, sum, target));
    if (target.byteLength === byteLength) this.verify(storage);
  }

  #inflate(key: string, record: ZipRecord): Uint8Array {
    if (this.#inflated?.key !== key) {
      this.#inflated = undefined;
      this.#inflated = { key, content: readRecord(this.#source, record, LIMITS.inflatedBytes) };
    }
    return this.#inflated.content;
  }

  #recordOf(key: string): ZipRecord {
    const record = this.#findRecord(key);
    if (record === undefined) throw new TorchFault(`the file has no storage ${quoteKey(key)}`);
    return record;
  }

  /** Memory that begins at offset 0 of its buffer, so that every typed array can view it; each byte is overwritten. */
  #allocate(length: number): Uint8Array {
    try {
      return new Uint8Array(Buffer.allocUnsafeSlow(length).buffer, 0, length);
    } catch (cause) {
      const message = `${length} bytes do not fit into memory at once`;
      throw new FirError('TOO_LARGE', message, { where: this.path, cause });
    }
  }

  #missing(message: string): FirError {
    return new FirError('TENSOR_DATA_MISSING', message, { where: this.path });
  }
}
