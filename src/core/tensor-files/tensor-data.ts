import { dtypeOf } from '../dtype/index.js';
import type { TensorSource } from '../model/tensor.js';
import { gatherContiguous } from '../tensor/index.js';

/** A tensor whose contents go into the file of its group. */
export interface SavedTensor {
  key: string;
  source: TensorSource;
  /** Of the tensor's memory, as records name it. */
  storage: number | string;
}

/** Where the saved bytes of a key stand in a file. */
export interface SavedRange {
  begin: number;
  length: number;
  /** The view's memory as it lies, not its logical values. */
  isRaw?: boolean;
}

/** The tensors of a group as a file. */
export interface EncodedFile {
  /** The whole file, in order. */
  pieces: Uint8Array[];
  byteLength: number;
  positions: Map<string, SavedRange>;
  /** The key in the file of tensors that do not stand under their own. */
  storedKeys: ReadonlyMap<string, string>;
}

/** The logical values, contiguous: the memory itself where it already is. Shared memory is copied, since it may change meanwhile. */
export function logicalData(source: TensorSource): Uint8Array {
  if (!source.contiguous) {
    return gatherContiguous(source.bytes, {
      dtype: source.dtype,
      shape: source.shape,
      stride: source.stride,
      offset: 0,
    });
  }
  return stillBytes(source);
}

/** The memory as it lies; a copy where other threads may change it meanwhile. */
export function stillBytes({ bytes }: TensorSource): Uint8Array {
  return bytes.buffer instanceof ArrayBuffer ? bytes : Uint8Array.from(bytes);
}

/** Strings one after the other as UTF-8, and where each begins and the last ends, as int64. */
export function packStrings(strings: readonly string[]): { bytes: Uint8Array; offsets: Uint8Array } {
  const encoded = strings.map((text) => Buffer.from(text, 'utf8'));
  const offsets = new BigInt64Array(strings.length + 1);
  let end = 0;
  encoded.forEach((bytes, index) => {
    end += bytes.length;
    offsets[index + 1] = BigInt(end);
  });
  return { bytes: Buffer.concat(encoded), offsets: new Uint8Array(offsets.buffer) };
}

/** Bytes of the values, however they lie. */
export function logicalBytes(source: TensorSource): number {
  if (source.strings !== undefined) {
    return source.strings.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  }
  if (source.contiguous) return source.bytes.length;
  const elements = source.shape.reduce((product, size) => product * size, 1);
  return Math.ceil((elements * dtypeOf(source.dtype).bitsPerElement) / 8);
}
