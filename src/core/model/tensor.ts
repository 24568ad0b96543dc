import type { DtypeName } from './dtype.js';

/** Contiguous logical values as `blobs/<sha256>` of the session. */
export interface ContentData {
  sha256: string;
}

/** Where a tensor's values are kept. */
export type TensorData =
  /** Contiguous logical values under `key` of a tensor file in the dump. */
  | { file: string; key: string }
  | ContentData
  /** The very same tensor (storage, offset, stride, shape, dtype) as another key of the call. */
  | { sameAs: string }
  /** Left out by --redact; of a model that was given as bytes, what tells it from others stays. */
  | { redacted: true; sha256?: string };

/** What is known of values that were left out. Over finite elements; of complex ones the modulus counts. */
export interface LayoutStatistics {
  /** Exact, as bigint past 2^53, for integers. */
  min?: number | bigint;
  max?: number | bigint;
  mean?: number;
  std?: number;
  nan?: number;
  inf?: number;
  zeros?: number;
  /** Of bool. */
  trues?: number;
  /** Of strings, in bytes of UTF-8. */
  minBytes?: number;
  maxBytes?: number;
}

/** `fir.tensors[key]`: layout and identity of one tensor of a call. Counts are in elements unless named bytes. */
export interface TensorLayout {
  /** Unique in the process; equal for tensors that share memory, across calls too. */
  storage: number | string;
  /** Size of the whole storage in the recorded program. Provenance: never an allocation size. */
  storageBytes: number;
  offset: number;
  stride: number[];
  shape: number[];
  dtype: DtypeName;
  device: string;
  /** The class that held it in the program: `Float32Array`, `Buffer`, `onnxruntime.Tensor`; absent for a plain tensor. */
  host?: string;
  /** Absent when the contents were not saved (role `out`). */
  data?: TensorData;
  /** Of values that were left out. */
  stats?: LayoutStatistics;
}

export type TensorRole = 'in' | 'out' | 'inout' | 'scratch' | 'unknown';

/** A tensor met while recording, described without copying it. */
export interface TensorSource {
  dtype: DtypeName;
  shape: readonly number[];
  /** In elements, never negative. */
  stride: readonly number[];
  /** Identity of the memory: two sources with the same object here share it. */
  storage: object;
  storageBytes: number;
  /** Of the first element, from the start of the storage. */
  byteOffset: number;
  /** The memory from the first to the last element; the logical values when contiguous. Empty for strings. */
  bytes: Uint8Array;
  contiguous: boolean;
  /** Where the bytes are a contiguous copy: the strides of the tensor itself. */
  originalStride?: readonly number[];
  device: string;
  host: string;
  /** The values of a string tensor, row-major. */
  strings?: readonly string[];
}
