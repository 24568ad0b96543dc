import type { JsonValue } from '../../model/json.js';
import type { RunPurpose } from '../protocol.js';

/** Storages up to this many bytes go inside a frame, larger ones in files. */
export const INLINE_BYTES = 64 * 1024;

export interface PythonSetup {
  type: 'setup';
  /** In front of `sys.path`. */
  python_path: readonly string[];
  device: string;
  allow: readonly string[];
  /** Folders for large results: shared memory, and where that is full. */
  shared: string;
  fallback: string;
  inline_bytes: number;
}

/** Memory of arguments: in the frame's payload, or a file that is mapped privately. */
export type WireStorage = { bytes: number; inline: number } | { bytes: number; file: string; offset: number };

export interface WireTensor {
  key: string;
  dtype: string;
  shape: readonly number[];
  stride: readonly number[];
  /** In elements, from the start of the storage. */
  offset: number;
  /** Index into the storages. */
  storage: number;
  device: string;
  parameter: boolean;
  requires_grad: boolean;
}

export interface PythonRun {
  type: 'run';
  id: number;
  purpose: RunPurpose;
  function: string;
  module: string;
  signature: string;
  kind: 'function' | 'method' | 'constructor';
  class: { module: string; qualname: string } | null;
  target: { file: string; export: string } | null;
  positional: readonly string[];
  named: readonly (readonly [key: string, name: string])[];
  self: string | null;
  uses: readonly { self_id: string; class: string; key: string }[];
  makes: readonly string[];
  tensors: readonly WireTensor[];
  storages: readonly WireStorage[];
  /** Recorded devices among the arguments that are other ones here. */
  devices: Readonly<Record<string, string>>;
  /** Where in the payload the text of the call's record is. */
  record: readonly [begin: number, end: number];
}

/** What the worker says once it can run calls. */
export interface PythonReady {
  type: 'ready';
  python: string;
  torch: string;
  /** Where tensors go. */
  device: string;
  /** Every CUDA device that torch sees. */
  devices: readonly string[];
  /** Of what else computes: `flashinfer`. */
  versions: Readonly<Record<string, string>>;
}

export interface PythonFailed {
  type: 'failed';
  code: string;
  message: string;
}

/** A tensor of a result. */
export interface ResultTensor {
  key: string;
  dtype: string;
  shape: number[];
  /** Of the tensor itself; of the bytes too where `layout` is `range`, which begins at the lowest element. */
  stride: number[];
  device: string;
  storage: string;
  layout: 'contiguous' | 'range';
  bytes: number;
  inline: number | undefined;
  file: string | undefined;
}

export interface PythonError {
  name: string;
  message: string;
  stack: string | undefined;
  /** A code of fir's, where the worker refused the call. */
  code: string | undefined;
}

export interface PythonOutcome {
  type: 'outcome';
  id: number;
  end: 'returned' | 'threw' | 'refused';
  error: PythonError | undefined;
  durationUs: number;
  result: JsonValue;
  tensors: readonly ResultTensor[];
  notes: readonly string[];
  once: readonly string[];
  /** The CUDA context is of no use any more. */
  fatal: boolean;
}

export type PythonAnswer =
  | PythonReady
  | PythonFailed
  | { type: 'phase'; id: number; phase: 'invoke' }
  | PythonOutcome;
