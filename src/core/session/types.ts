import type { ExecutionStatus, MemberKind } from '../model/call.js';
import type { DtypeName } from '../model/dtype.js';
import type { LayoutStatistics } from '../model/tensor.js';

/** `no_record`: a dump directory about which no readable record says anything. */
export type CallStatus = ExecutionStatus | 'no_record';

export type TensorGroupName = 'inputs' | 'outputs' | 'mutated';

/** Who wrote a session: fir, FlashInfer's recorder (or another writer of its layout), both, or nobody yet. */
export type Producer = 'fir' | 'flashinfer' | 'mixed' | 'unknown';

/**
 * One call of a session, small enough that hundreds of thousands fit in memory: what else is known is read from
 * its record with `Session.readRecord`. The fields are getters over columns, so a spread does not copy them.
 */
export interface CallEntry {
  /** From 1, in session order over the whole session. */
  readonly number: number;
  /** Name of the dump directory, beside the session file; of a snapshot of a CUDA graph `<dump>/graph_flushes/flush_0001`. */
  readonly dump: string;
  /** `foreign`: FlashInfer's recorder, or another writer of its layout. */
  readonly recorder: 'fir' | 'foreign';
  readonly functionName: string;
  readonly module: string;
  readonly pid: number;
  /** For foreign recorders `pid4242`, and `pid4242#2` for the second process with that id. */
  readonly processUid: string;
  /** Order of starts within the process, from 1. */
  readonly sequence: number;
  readonly status: CallStatus;
  /** When it began, in milliseconds since the epoch; a time without a zone is taken for one of this machine's. */
  readonly startedMs: number | undefined;
  readonly kind: MemberKind;
  /** Identity of the object of a stateful call, or of the object that this call made. */
  readonly selfId: number | bigint | undefined;
  readonly selfClass: string | undefined;
  /** The call makes the object `selfId`: a constructor or a factory. */
  readonly constructs: boolean;
  /** Which object of this process, id and class, from 1; 0 where its constructor is not in the session. */
  readonly generation: number | undefined;
  /** Sequence of the recorded call that this one ran inside; inferred from the log where a foreign recorder wrote it. */
  readonly parent: number | null | 'unknown';
  /** The call was captured into a CUDA graph: its tensors were read after a replay of the whole graph. */
  readonly graphCapture: boolean;
  /** Why the call's dump can't be used, in words: its directory is missing, unsafe or has no record. */
  readonly problem: string | undefined;
}

/** One recorded tensor: its layout is known at once, its values are read when asked for. */
export interface StoredTensor {
  readonly key: string;
  readonly dtype: DtypeName;
  readonly shape: number[];
  readonly stride: number[];
  /** In elements, from the start of the storage. */
  readonly offset: number;
  /** Equal for tensors of a process that share memory; undefined where the recorder did not say. */
  readonly storage: number | string | undefined;
  /** As recorded. Never an allocation size. */
  readonly storageBytes: number;
  readonly device: string;
  readonly host?: string;
  /** Another key of the call that is the very same tensor. */
  readonly sameAs?: string;
  /** A `torch.nn.Parameter`, and a tensor that gradients are wanted of, where a .pt file says so. */
  readonly parameter?: true;
  readonly requiresGrad?: true;
  /** Its values were left out when it was recorded or filtered: reading them throws TENSOR_DATA_MISSING. */
  readonly redacted?: true;
  /** SHA-256 of a model that was left out. */
  readonly redactedModel?: string;
  /** What is known of values that were left out. */
  readonly stats?: LayoutStatistics;
  /** Bytes that a .pt file keeps of the memory that the tensor is a view of. */
  readonly storedBytes?: number;
  /** Of the logical values, contiguous; of the UTF-8 text for strings. */
  readonly byteLength: number;
  /**
   * Throws what reading the values would throw, without reading them: FirError TENSOR_*, SAFETENSORS_INVALID,
   * TORCH_INVALID, UNSAFE_PATH. The checksum of a .pt file's record is looked at up to 1 MiB, and of a larger one with
   * `values`; reading values looks at it wherever the tensor covers the whole record.
   */
  verify(options?: { values?: boolean }): void;
  /** Contiguous, row-major, little-endian. FirError TOO_LARGE where an expanded tensor would not fit in memory. */
  logicalBytes(): Uint8Array;
  /** The same bytes in pieces of at most `chunkBytes`, in order; a piece may be overwritten by the next one. */
  chunks(chunkBytes?: number): Iterable<Uint8Array>;
  /** The values of a string tensor, row-major; absent for other dtypes. */
  strings?(): string[];
  /** For an expanded tensor: the part of its storage that was saved, and where in the storage it begins. */
  savedRange(): { byteOffset: number; bytes: Uint8Array } | undefined;
  /**
   * Where the memory that the tensor is a view of stands in a file, byte for byte: `begin` of the file is byte
   * `storageBegin` of the storage. For a .pt file the whole record, for a contiguous tensor of a safetensors file its
   * entry; undefined for all else. What stands there is not checked against a checksum. The same errors as `verify`.
   */
  fileRange(): { path: string; begin: number; end: number; storageBegin: number } | undefined;
  /** The bytes of that range; undefined where there is none. Held against a .pt file's checksum. */
  fileBytes(): Uint8Array | undefined;
}
