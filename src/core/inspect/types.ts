import type { RecordedError } from '../model/call.js';
import type { DtypeName } from '../model/dtype.js';
import type { Unreadable } from '../model/session.js';
import type { CallStatus, Producer } from '../session/index.js';

/** A number, exact as bigint where the tensor's are, or what JSON has no number for. */
export type JsonNumber = number | bigint | 'NaN' | 'Infinity' | '-Infinity';

/** Over finite elements, null where there are none, as for bool. Complex elements count by their modulus. */
export interface InspectStatistics {
  min: JsonNumber | null;
  max: JsonNumber | null;
  mean: JsonNumber | null;
  std: JsonNumber | null;
  nan: number;
  inf: number;
  zeros: number;
  /** Of bool only. */
  trues?: number;
  /** Bin `i` counts `edges[i] <= x < edges[i + 1]`, the last one also its upper edge. */
  histogram?: { edges: JsonNumber[]; counts: number[] };
}

/** One tensor of a call. Where `error` says why its layout is not known, the other fields are absent. */
export interface InspectTensor {
  key: string;
  dtype?: DtypeName;
  shape?: number[];
  stride?: number[];
  offset?: number;
  device?: string;
  /** Of the logical values. */
  bytes?: number;
  /** Of the memory that its file keeps for it, where that is more: a view keeps all that it is a view of. */
  storedBytes?: number;
  /** A `torch.nn.Parameter`; a tensor that gradients are wanted of. */
  parameter?: true;
  requiresGrad?: true;
  /** Other keys of the call whose tensors are in the same storage. */
  sharedWith?: string[];
  stats?: InspectStatistics;
  /** Of the logical values, contiguous, little-endian; of strings, each with its length as 8 bytes before it. */
  sha256?: string;
  /** The values were left out when it was recorded or filtered; `stats` are those that were kept of them. */
  redacted?: true;
  /** Why the layout or the values can't be had. */
  error?: string;
}

export interface InspectCall {
  call: number;
  dump: string;
  function: string;
  module: string;
  pid: number;
  selfId?: number | bigint;
  generation?: number;
  status: CallStatus;
  /** RFC 3339 where fir recorded; FlashInfer's local time has no zone. */
  startedAt: string | null;
  durationUs: number | null;
  inputs: InspectTensor[];
  outputs: InspectTensor[];
  mutated: InspectTensor[];
  replayable: boolean;
  reasons: string[];
  /** Captured into a CUDA graph: the tensors were read after the whole graph had run. */
  graphCapture?: true;
  /** Said of the call's files, and in nobody's way: objects that a .pt file names, a file that is torn. */
  notes?: string[];
  /** Values and texts were left out: a replay runs the call on random inputs. */
  redacted?: true;
  /** How the recorded call failed. */
  error?: RecordedError;
}

export interface InspectFunctionSummary {
  function: string;
  calls: number;
  failed: number;
  unfinished: number;
  /** Of all tensors of its calls; one that is recorded as the same as another counts once. */
  bytes: number;
  /** Of the calls whose duration is known: exact up to 10,000 calls of a function, past that from a sample of as many. */
  p50Us: number | null;
  p95Us: number | null;
}

/** Tensors that stand under `blobs/`. */
interface InspectContents {
  tensors: number;
  /** Of all of them together. */
  bytes: number;
  /** Of their contents, each once. */
  storedBytes: number;
}

export interface InspectSummary {
  calls: number;
  byStatus: Record<string, number>;
  byFunction: InspectFunctionSummary[];
  /** Numbers of the calls that never ended: the recorded program may have died inside one of them. */
  unfinished: number[];
  /** Absent where there are none. */
  contents?: InspectContents;
}

export interface InspectSessionInfo {
  path: string;
  producer: Producer;
  versions: Record<string, string>;
  processes: number;
  records: number;
  /** The first of them; `unreadableCount` is how many there are. */
  unreadable: Unreadable[];
  unreadableCount: number;
  /** Snapshots of CUDA graphs that repeat the one before them and are no calls; absent where there are none. */
  repeatedSnapshots?: number;
}

/** `fir.inspect/1` as a stream: `calls` is made call by call, and `summary` tells of the calls taken so far. */
export interface SessionInspection {
  format: 'fir.inspect/1';
  session: InspectSessionInfo;
  calls: Iterable<InspectCall>;
  summary(): InspectSummary;
}

/** `fir.inspect-file/1`: one .safetensors or .pt file. */
export interface FileInspection {
  format: 'fir.inspect-file/1';
  file: { path: string; bytes: number; metadata: Record<string, string> };
  tensors: InspectFileTensor[];
  /** Of a .pt file that names other objects than tensors. */
  notes?: string[];
}

/** Of what a .pt file holds that is no tensor, `error` says what it is; dtype and shape are empty. */
export interface InspectFileTensor
  extends Pick<
    InspectTensor,
    'stride' | 'offset' | 'storedBytes' | 'parameter' | 'requiresGrad' | 'sharedWith'
  > {
  key: string;
  /** As the file names it: `F32`. */
  dtype: string;
  shape: number[];
  bytes: number;
  stats?: InspectStatistics;
  sha256?: string;
  error?: string;
}
