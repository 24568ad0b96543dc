import { byteLengthOf } from '../dtype/index.js';
import type { DtypeName } from '../model/dtype.js';
import { quoteKey } from '../safetensors/quote-key.js';
import type { ByteSource } from './byte-source.js';
import { TorchFault } from './fault.js';
import { opaque } from './opaque.js';
import { PickleGlobal, type PickleValue } from './pickle-values.js';
import { findStorageClass } from './torch-names.js';
import type { TorchOpaque, TorchStorage } from './types.js';
import type { ZipRecord } from './zip-directory.js';
import { locateRecord } from './zip-record.js';

/** A storage as the elements of one dtype. */
export interface StorageView {
  storage: TorchStorage;
  dtype: DtypeName;
}

/** The storages of a file that its pickle refers to, by key. */
export class StorageTable {
  readonly #source: ByteSource;
  readonly #find: (key: string) => ZipRecord | undefined;
  readonly #storages = new Map<string, TorchStorage>();

  constructor(source: ByteSource, find: (key: string) => ZipRecord | undefined) {
    this.#source = source;
    this.#find = find;
  }

  /**
   * What the persistent id `('storage', class, key, device, elements)` of torch/serialization.py stands for. Opaque where
   * the record is missing, has another size or another kind of elements; a fault where the id has another form.
   */
  refer(id: PickleValue): StorageView | TorchOpaque {
    if (!Array.isArray(id) || id[0] !== 'storage') {
      throw new TorchFault('the pickle refers to something that is no storage');
    }
    const [, type, key, device, elements] = id as readonly PickleValue[];
    const isComplete =
      id.length === 5 &&
      typeof key === 'string' &&
      typeof device === 'string' &&
      (typeof elements === 'number' || typeof elements === 'bigint');
    if (!isComplete) throw new TorchFault('the pickle refers to a storage in a form that torch never writes');
    const dtype = type instanceof PickleGlobal ? findStorageClass(type.name) : undefined;
    if (dtype === undefined) return opaque('its storage is of a class that is not known');
    if (dtype === null) return opaque('quantized tensors are not supported');
    const storage = this.#storages.get(key) ?? this.#open(key, device);
    if (storage === undefined) return opaque(`its record ${quoteKey(`data/${key}`)} is missing`);
    if (Number(elements) * byteLengthOf(dtype, 1) !== storage.byteLength) {
      return opaque(
        `its storage claims ${elements} elements of ${dtype}, but its record ${quoteKey(`data/${key}`)} has ` +
          `${storage.byteLength} bytes`,
      );
    }
    return { storage, dtype };
  }

  #open(key: string, device: string): TorchStorage | undefined {
    const entry = this.#find(key);
    if (entry === undefined) return undefined;
    const place = locateRecord(this.#source, entry);
    const region = entry.method === 0 ? place : undefined;
    const storage: TorchStorage = { key, device, byteLength: entry.byteLength, region };
    this.#storages.set(key, storage);
    return storage;
  }
}
