import type { TensorLayout } from '../model/tensor.js';
import type { ForeignLayout } from './foreign-layouts.js';
import type { ValueSource } from './value-source.js';

/** What a record says of a tensor whose values are looked for in a file. */
export type WantedLayout = Omit<TensorLayout, 'storage'>;

/** A tensor file of a dump, whatever its format. Everything is checked before it is read. */
export interface ValueFile {
  readonly path: string;
  readonly keys: Iterable<string>;
  has(key: string): boolean;
  /** The logical values of a tensor. FirError TENSOR_DATA_MISSING, TENSOR_INVALID, TENSOR_UNSUPPORTED. */
  find(key: string, layout: WantedLayout): ValueSource;
  /** One dimension of plain elements, `length` of them or as many as there are. The same errors. */
  flat(key: string, dtype: 'uint8' | 'int64', length: number | undefined): ValueSource;
  /** As the file itself tells it; undefined where it holds no such tensor or none that can be read. */
  layoutOf(key: string): ForeignLayout | undefined;
  close(): void;
}
