import { dtypeOf } from '../dtype/index.js';
import { SafetensorsFile } from '../safetensors/index.js';
import { isContiguousLayout } from '../tensor/index.js';
import { type ForeignLayout, layoutFromEntry } from './foreign-layouts.js';
import { checkEntry, storedForm } from './stored-entries.js';
import type { ValueFile, WantedLayout } from './value-file.js';
import { type FileRange, sourceFromEntry, type ValueSource } from './value-source.js';

/** A safetensors file holds every tensor's logical values, contiguous. */
export class SafetensorsValues implements ValueFile {
  readonly path: string;
  readonly #file: SafetensorsFile;

  constructor(path: string) {
    this.path = path;
    this.#file = SafetensorsFile.open(path);
  }

  get keys(): Iterable<string> {
    return this.#file.entries.keys();
  }

  has(key: string): boolean {
    return this.#file.entries.has(key);
  }

  find(key: string, layout: WantedLayout): ValueSource {
    const { begin, end } = checkEntry(this.#file, key, storedForm(layout.dtype, layout.shape));
    const source = sourceFromEntry(this.#file, key, end - begin);
    const storageBegin = (layout.offset * dtypeOf(layout.dtype).bitsPerElement) / 8;
    if (!isContiguousLayout(layout.shape, layout.stride) || !Number.isSafeInteger(storageBegin))
      return source;
    const place: FileRange = { path: this.path, begin, end, storageBegin };
    return { ...source, place, readPlace: source.read };
  }

  flat(key: string, dtype: 'uint8' | 'int64', length: number | undefined): ValueSource {
    const shape = [length ?? this.#file.entries.get(key)?.shape[0] ?? 0];
    const { begin, end } = checkEntry(this.#file, key, storedForm(dtype, shape));
    return sourceFromEntry(this.#file, key, end - begin);
  }

  layoutOf(key: string): ForeignLayout | undefined {
    const entry = this.#file.entries.get(key);
    return entry === undefined ? undefined : layoutFromEntry(entry);
  }

  close(): void {
    this.#file.close();
  }
}
