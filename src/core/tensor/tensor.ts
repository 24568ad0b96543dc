import { byteLengthOf } from '../dtype/index.js';
import { FirError } from '../errors.js';
import type { DtypeName } from '../model/dtype.js';
import { bytesFromValues, dtypeOfValues, type TensorValues } from './from-values.js';
import { placeLayout, type StridedLayout } from './layout.js';
import { contiguousStride, elementCount, formatSizes, isContiguousLayout } from './shape.js';
import { gatherContiguous } from './strided-copy.js';

const BRAND: unique symbol = Symbol.for('fir.Tensor');

/** Memory that tensors view; two tensors over the same storage see each other's writes. */
export class Storage {
  readonly bytes: Uint8Array;
  /** Identity across a session, where it has one. */
  readonly id: number | string | undefined;

  constructor(bytes: Uint8Array, id?: number | string) {
    this.bytes = bytes;
    this.id = id;
  }
}

export interface TensorInit {
  dtype: DtypeName;
  shape: readonly number[];
  /** In elements; row-major where absent. */
  stride?: readonly number[];
  /** In elements, from the start of the storage. */
  offset?: number;
  storage: Storage;
  /** `cpu` where absent. */
  device?: string;
}

/** A dtype, shape, stride and offset over a storage. It never changes; the bytes of its storage may. */
export class Tensor implements StridedLayout {
  readonly dtype: DtypeName;
  readonly shape: readonly number[];
  readonly stride: readonly number[];
  readonly offset: number;
  readonly storage: Storage;
  readonly device: string;

  /** Throws TENSOR_INVALID where the layout reaches past the storage. */
  constructor(init: TensorInit) {
    this.dtype = init.dtype;
    this.shape = [...init.shape];
    this.stride = init.stride === undefined ? contiguousStride(init.shape) : [...init.stride];
    this.offset = init.offset ?? 0;
    this.storage = init.storage;
    this.device = init.device ?? 'cpu';
    placeLayout(this, this.storage.bytes.byteLength);
  }

  /** A contiguous tensor over exactly these bytes, which it does not copy. */
  static fromBytes(dtype: DtypeName, shape: readonly number[], bytes: Uint8Array): Tensor {
    const expected = byteLengthOf(dtype, elementCount(shape));
    if (bytes.byteLength !== expected) {
      throw new FirError(
        'TENSOR_INVALID',
        `shape ${formatSizes(shape)} of ${dtype} takes ${expected} bytes, not ${bytes.byteLength}`,
      );
    }
    return new Tensor({ dtype, shape, storage: new Storage(bytes) });
  }

  /** A contiguous tensor of some values; one dimension unless `shape` says otherwise. Plain numbers become float32. */
  static from(values: TensorValues, dtype = dtypeOfValues(values), shape?: readonly number[]): Tensor {
    const bytes = bytesFromValues(values, dtype);
    return Tensor.fromBytes(dtype, shape ?? [values.length], bytes);
  }

  /** Whether a value is a tensor of this or another copy of the package. */
  static isTensor(value: unknown): value is Tensor {
    return typeof value === 'object' && value !== null && BRAND in value;
  }

  get [BRAND](): true {
    return true;
  }

  /** Number of elements of the shape. */
  get elements(): number {
    return elementCount(this.shape);
  }

  /** Bytes of the logical values, whatever the storage holds. */
  get byteLength(): number {
    return byteLengthOf(this.dtype, this.elements);
  }

  isContiguous(): boolean {
    return isContiguousLayout(this.shape, this.stride);
  }

  /** The logical values, row-major and little-endian: the storage's own bytes where they lie so, else a copy. */
  contiguousBytes(): Uint8Array {
    return gatherContiguous(this.storage.bytes, this);
  }

  /** The same elements with the two dimensions of a matrix exchanged. */
  t(): Tensor {
    if (this.shape.length !== 2) {
      throw new FirError('TENSOR_INVALID', `t() takes 2 dimensions, not ${this.shape.length}`);
    }
    return this.#view([...this.shape].reverse(), [...this.stride].reverse(), this.offset);
  }

  /** Every `step`th element from `start` up to `end` of one dimension. */
  slice(dim: number, start: number, end: number, step = 1): Tensor {
    const size = this.#sizeOf(dim);
    if (!isIndex(start, end) || !isIndex(end, size) || !Number.isSafeInteger(step) || step < 1) {
      throw new FirError(
        'TENSOR_INVALID',
        `slice ${start}:${end}:${step} is not within dimension ${dim} of size ${size}`,
      );
    }
    const stride = this.stride[dim] ?? 0;
    return this.#view(
      this.shape.with(dim, Math.ceil((end - start) / step)),
      this.stride.with(dim, stride * step),
      this.offset + start * stride,
    );
  }

  /** The elements at one index of a dimension, without that dimension. */
  select(dim: number, index: number): Tensor {
    const size = this.#sizeOf(dim);
    if (!isIndex(index, size - 1)) {
      throw new FirError('TENSOR_INVALID', `index ${index} is not within dimension ${dim} of size ${size}`);
    }
    return this.#view(
      this.shape.toSpliced(dim, 1),
      this.stride.toSpliced(dim, 1),
      this.offset + index * (this.stride[dim] ?? 0),
    );
  }

  /** Repeats dimensions of size 1 without copying, as broadcasting does; new dimensions come first. */
  expand(shape: readonly number[]): Tensor {
    const added = shape.length - this.shape.length;
    const stride = shape.map((size, dim) => {
      const own = dim < added ? 1 : (this.shape[dim - added] ?? 1);
      if (own === size) return dim < added ? 0 : (this.stride[dim - added] ?? 0);
      if (own === 1) return 0;
      throw new FirError(
        'TENSOR_INVALID',
        `shape ${formatSizes(this.shape)} can not expand to ${formatSizes(shape)}`,
      );
    });
    if (added < 0) {
      throw new FirError(
        'TENSOR_INVALID',
        `shape ${formatSizes(this.shape)} can not expand to ${formatSizes(shape)}`,
      );
    }
    return this.#view(shape, stride, this.offset);
  }

  /** The same elements in another shape: a view of a contiguous tensor, a copy of another. */
  reshape(shape: readonly number[]): Tensor {
    if (elementCount(shape) !== this.elements) {
      throw new FirError(
        'TENSOR_INVALID',
        `shape ${formatSizes(this.shape)} can not become ${formatSizes(shape)}: the counts of elements differ`,
      );
    }
    if (this.isContiguous()) return this.#view(shape, contiguousStride(shape), this.offset);
    const storage = new Storage(this.contiguousBytes());
    return new Tensor({ dtype: this.dtype, shape, storage, device: this.device });
  }

  #view(shape: readonly number[], stride: readonly number[], offset: number): Tensor {
    const { dtype, storage, device } = this;
    return new Tensor({ dtype, shape, stride, offset, storage, device });
  }

  #sizeOf(dim: number): number {
    const size = this.shape[dim];
    if (size === undefined) {
      throw new FirError('TENSOR_INVALID', `dimension ${dim} of a tensor of ${this.shape.length} dimensions`);
    }
    return size;
  }
}

/** Whether `value` is an integer from 0 to `last`. */
function isIndex(value: number, last: number): boolean {
  return Number.isSafeInteger(value) && value >= 0 && value <= last;
}
