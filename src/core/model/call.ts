import type { JsonObject, JsonValue } from './json.js';
import type { ContentData, LayoutStatistics, TensorLayout, TensorRole } from './tensor.js';

export type ExecutionStatus = 'inputs_saved' | 'completed' | 'failed' | 'graph_capture_pending_flush';

export interface TensorDetail {
  shape: number[];
  /** As torch prints it: `torch.float32`. */
  dtype: string;
  stride: number[];
  device: string;
}

export interface TensorInfo {
  input_tensor_keys: string[];
  output_tensor_keys: string[];
  input_size_bytes?: number;
  input_size_mb?: number;
  output_size_bytes?: number;
  output_size_mb?: number;
  total_size_bytes?: number;
  total_size_mb?: number;
}

/** How replay finds a recorded function again. */
export type Resolution =
  /**
   * An export of one of the program's own files. `module` is relative to `root` with forward slashes; `root` is
   * provenance. `tentative`: the program ended before the export could be looked up, so it goes by the function's name.
   */
  | { kind: 'module'; root: string; module: string; export: string; tentative?: true }
  /** An export of a package under node_modules. */
  | { kind: 'package'; package: string; version?: string; subpath?: string; export: string }
  /** A class or function that a built-in adapter knows. */
  | { kind: 'adapter'; adapter: string; package: string; version?: string }
  /** A function of a Python module. Never in a file: what a recorder for Python wrote is read so. */
  | { kind: 'python'; module: string }
  /** Not replayable, and why; `hint` is the way out. */
  | { kind: 'unresolved'; reason: string; hint?: string };

/** What the last part of a function's name is. */
export type MemberKind = 'function' | 'constructor' | 'method' | 'static';

export interface RecordedError {
  name: string;
  message: string;
  stack?: string;
  /** What was thrown, where it was not an Error. */
  value?: JsonValue;
}

/** `fir` of a record: everything that FlashInfer's format does not have. */
export interface FirFields {
  version: 1;
  process_uid: string;
  /** Order of starts within the process, from 1. */
  sequence: number;
  /** Order of ends within the process, from 1; on records of ended calls. */
  end_sequence?: number;
  /** Sequence of the recorded call that this one ran inside; null: none. */
  parent: number | null | 'unknown';
  started_at: string;
  duration_us?: number;
  gpu_us?: number;
  kind: MemberKind;
  async?: boolean;
  resolve?: Resolution;
  /** The object that a constructor or factory made (`self_id`) is this call's to make. */
  constructs?: boolean;
  /** Class of the object of a stateful call. */
  self_class?: string;
  tensors: Record<string, TensorLayout>;
  roles?: Record<string, TensorRole>;
  mutated_tensor_keys?: string[];
  /** A change seen only after the synchronous return of an async call: it may be the program's own. */
  mutated_pending_keys?: string[];
  /** What changed tensors ended as, of those that stand in `blobs/` and not in the dump's own file. */
  mutated_data?: Record<string, ContentData>;
  /** Arguments that are not tensors and ended differently: `arg_1` to its encoding after the call. */
  mutated_arguments?: Record<string, JsonValue>;
  /** The same of containers: changed after the synchronous return of an async call. */
  mutated_pending_arguments?: string[];
  /** Why the call can't be replayed, each naming an argument. */
  not_replayable?: string[];
  truncated?: boolean;
  /** Values and texts were left out: a replay runs on inputs of its own making. */
  redacted?: boolean;
  /** Of redacted arguments that the call changed: statistics of what they ended as. */
  mutated_stats?: Record<string, LayoutStatistics>;
  error?: RecordedError;
  dropped?: JsonObject;
}

/**
 * What fir added to a record that another recorder wrote, under the same key `fir`: such a record is rewritten as its
 * own text with this before its last brace.
 */
export interface ForeignFields {
  /** Who wrote the record: `flashinfer`. Tells such additions from the fields of fir's own records. */
  recorder: string;
  /** The process that the call belongs to, where call sequences no longer tell: `pid4242#2`. */
  process?: string;
  /** Tensors whose values or layout the dump's own file does not tell any more, by key; all others are as they were. */
  tensors: Record<string, ForeignTensor>;
  redacted?: true;
}

/** As in `fir.tensors`; a storage is one of the call's own. */
export interface ForeignTensor extends TensorLayout {
  /** A `torch.nn.Parameter`, and a tensor that gradients are wanted of. */
  parameter?: true;
  requiresGrad?: true;
}

/** One line of `session.jsonl` or `metadata.jsonl`. Unknown fields are kept by whoever rewrites it. */
export interface CallRecord {
  function_name: string;
  module: string;
  call_sequence: number;
  timestamp: string;
  process_id: number;
  self_id?: number | bigint;
  input_metadata: Record<string, JsonValue>;
  output_metadata: Record<string, JsonValue>;
  tensor_info: TensorInfo;
  tensor_details: Record<string, TensorDetail>;
  tensor_format: 'torch' | 'safetensors';
  function_signature?: string;
  versions?: Record<string, JsonValue>;
  execution_status: ExecutionStatus;
  graph_capture?: boolean;
  dump_dir: string;
  fir?: FirFields;
  /** In a file it stands under `fir`, too: never both. */
  foreign?: ForeignFields;
}
