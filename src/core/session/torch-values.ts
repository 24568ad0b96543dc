import { byteLengthOf, dtypeOf } from '../dtype/index.js';
import { FirError } from '../errors.js';
import type { DtypeName } from '../model/dtype.js';
import { elementCount, formatSizes } from '../tensor/index.js';
import { TorchFile, type TorchTensor } from '../torch/index.js';
import type { ForeignLayout } from './foreign-layouts.js';
import { sourceFromTorch } from './torch-source.js';
import type { ValueFile, WantedLayout } from './value-file.js';
import type { ValueSource } from './value-source.js';

/** A .pt file holds tensors as views of the memory that they shared. */
export class TorchValues implements ValueFile {
  readonly path: string;
  readonly #file: TorchFile;

  constructor(path: string) {
    this.path = path;
    this.#file = TorchFile.open(path);
  }

  get keys(): Iterable<string> {
    return this.#file.entries.keys();
  }

  /** Names in the file's pickle that no tensor needs: other objects, or an attack. Nothing of them was run. */
  get foreignGlobals(): readonly string[] {
    return this.#file.foreignGlobals;
  }

  has(key: string): boolean {
    return this.#file.entries.has(key);
  }

  /** FirError TENSOR_DATA_MISSING where there is none, TENSOR_UNSUPPORTED where it is no tensor that can be read. */
  tensor(key: string): TorchTensor {
    const entry = this.#file.entries.get(key);
    const name = JSON.stringify(key);
    if (entry === undefined) {
      throw new FirError('TENSOR_DATA_MISSING', `no tensor ${name} in the file`, { where: this.path });
    }
    if (entry.kind === 'opaque') {
      throw new FirError('TENSOR_UNSUPPORTED', `tensor ${name} can't be read: ${entry.reason}`, {
        where: this.path,
      });
    }
    return entry;
  }

  /** `storageBegin`: where the file's memory begins in the storage that the tensor's layout is told in. */
  source(tensor: TorchTensor, storageBegin: number | undefined): ValueSource {
    return sourceFromTorch(this.#file, tensor, storageBegin);
  }

  find(key: string, layout: WantedLayout): ValueSource {
    const tensor = this.tensor(key);
    const form = torchForm(layout.dtype, layout.shape);
    if (tensor.dtype !== form.dtype || tensor.shape.join() !== form.shape.join()) {
      throw this.#mismatch(key, tensor, form);
    }
    return this.source(tensor, storageBeginOf(layout, tensor));
  }

  flat(key: string, dtype: 'uint8' | 'int64', length: number | undefined): ValueSource {
    const tensor = this.tensor(key);
    const shape = [length ?? tensor.shape[0] ?? 0];
    if (tensor.dtype !== dtype || tensor.shape.join() !== shape.join()) {
      throw this.#mismatch(key, tensor, { dtype, shape });
    }
    return this.source(tensor, undefined);
  }

  layoutOf(key: string): ForeignLayout | undefined {
    const entry = this.#file.entries.get(key);
    if (entry === undefined || entry.kind === 'opaque') return undefined;
    const { dtype, shape, stride, offset, storage } = entry;
    return { dtype, shape, stride, offset, storageBytes: storage.byteLength, device: storage.device };
  }

  close(): void {
    this.#file.close();
  }

  #mismatch(key: string, found: TorchTensor, wanted: { dtype: string; shape: readonly number[] }): FirError {
    const text = (it: { dtype: string; shape: readonly number[] }) => `${it.dtype} ${formatSizes(it.shape)}`;
    const message = `tensor ${JSON.stringify(key)} is ${text(found)}, but the record says ${text(wanted)}`;
    return new FirError('TENSOR_INVALID', message, { where: this.path });
  }
}

/** As which dtype and shape fir writes a tensor: torch has no 4-bit integers, which go as packed bytes. */
function torchForm(dtype: DtypeName, shape: readonly number[]): { dtype: DtypeName; shape: number[] } {
  return dtype === 'int4' || dtype === 'uint4'
    ? { dtype: 'uint8', shape: [byteLengthOf(dtype, elementCount(shape))] }
    : { dtype, shape: [...shape] };
}

/** The file holds only the part of a storage that was covered; undefined where it has the tensor in another layout. */
function storageBeginOf(layout: WantedLayout, tensor: TorchTensor): number | undefined {
  const isSameLayout =
    tensor.dtype === layout.dtype &&
    layout.stride.every((stride, dim) => stride === tensor.stride[dim] || (layout.shape[dim] ?? 0) <= 1);
  const begin = ((layout.offset - tensor.offset) * dtypeOf(layout.dtype).bitsPerElement) / 8;
  return isSameLayout && begin >= 0 ? begin : undefined;
}
