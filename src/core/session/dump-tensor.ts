import { byteLengthOf } from '../dtype/index.js';
import type { DtypeName } from '../model/dtype.js';
import type { LayoutStatistics, TensorLayout } from '../model/tensor.js';
import { elementCount } from '../tensor/index.js';
import type { StringsSource } from './strings-source.js';
import type { StoredTensor } from './types.js';
import { DEFAULT_CHUNK_BYTES, type FileRange, type ValueSource } from './value-source.js';

export type TensorPlace = Omit<TensorLayout, 'storage'> & {
  storage?: number | string;
} & Pick<StoredTensor, 'parameter' | 'requiresGrad' | 'storedBytes' | 'redacted' | 'redactedModel'>;

/** A tensor of a dump, whose values are looked for when first needed. */
export class DumpTensor implements StoredTensor {
  readonly key: string;
  readonly dtype: DtypeName;
  readonly shape: number[];
  readonly stride: number[];
  readonly offset: number;
  readonly storage: number | string | undefined;
  readonly storageBytes: number;
  readonly device: string;
  readonly host?: string;
  readonly sameAs?: string;
  readonly parameter?: true;
  readonly requiresGrad?: true;
  readonly redacted?: true;
  readonly redactedModel?: string;
  readonly stats?: LayoutStatistics;
  readonly storedBytes?: number;
  readonly strings?: () => string[];
  readonly #find: () => ValueSource;
  #found: ValueSource | undefined;

  constructor(key: string, place: TensorPlace, find: () => ValueSource) {
    this.key = key;
    this.dtype = place.dtype;
    this.shape = place.shape;
    this.stride = place.stride;
    this.offset = place.offset;
    this.storage = place.storage;
    this.storageBytes = place.storageBytes;
    this.device = place.device;
    if (place.host !== undefined) this.host = place.host;
    if (place.data !== undefined && 'sameAs' in place.data) this.sameAs = place.data.sameAs;
    if (place.parameter === true) this.parameter = true;
    if (place.requiresGrad === true) this.requiresGrad = true;
    if (place.redacted === true) this.redacted = true;
    if (place.redactedModel !== undefined) this.redactedModel = place.redactedModel;
    if (place.redacted === true && place.stats !== undefined) this.stats = place.stats;
    if (place.storedBytes !== undefined) this.storedBytes = place.storedBytes;
    if (place.dtype === 'string') this.strings = () => this.#strings();
    this.#find = find;
  }

  get byteLength(): number {
    if (this.dtype !== 'string') return byteLengthOf(this.dtype, elementCount(this.shape));
    try {
      return this.#source().byteLength;
    } catch {
      return 0;
    }
  }

  verify(options: { values?: boolean } = {}): void {
    this.#source().checkValues?.(options.values === true);
  }

  logicalBytes(): Uint8Array {
    return this.#source().read();
  }

  chunks(chunkBytes = DEFAULT_CHUNK_BYTES): Iterable<Uint8Array> {
    return this.#source().chunks(chunkBytes);
  }

  savedRange(): { byteOffset: number; bytes: Uint8Array } | undefined {
    const { range } = this.#source();
    return range === undefined ? undefined : { byteOffset: range.byteOffset, bytes: range.read() };
  }

  fileRange(): FileRange | undefined {
    return this.#source().place;
  }

  fileBytes(): Uint8Array | undefined {
    return this.#source().readPlace?.();
  }

  #strings(): string[] {
    const source: Partial<StringsSource> = this.#source();
    return source.strings?.() ?? [];
  }

  #source(): ValueSource {
    this.#found ??= this.#find();
    return this.#found;
  }
}
