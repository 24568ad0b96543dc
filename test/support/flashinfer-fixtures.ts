import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeTempDir } from './temp-dir.js';

const FIXTURES = fileURLToPath(new URL('../fixtures/flashinfer/', import.meta.url));

export const FLASHINFER_SESSIONS = [
  'crashed_pt',
  'disk_full',
  'filtered_pt',
  'graph_flush',
  'multiprocess_pt',
  'nested_pt',
  'same_millisecond',
  'stateful_pt',
  'stateless_pt',
  'torn_tail',
] as const;

type ExpectedNumber = number | 'NaN' | 'Infinity' | '-Infinity';

export interface ExpectedStatistics {
  nan_count?: number;
  inf_count?: number;
  zero_count?: number;
  finite_min?: number;
  finite_max?: number;
  finite_mean?: number;
  /** Of integers decimal texts, of floats over all elements. */
  min?: string | ExpectedNumber;
  max?: string | ExpectedNumber;
  sum?: string;
  true_count?: number;
}

export interface ExpectedTensor {
  file: string;
  key: string;
  dtype: string;
  shape: number[];
  stride: number[];
  storage_offset: number;
  numel: number;
  is_contiguous: boolean;
  requires_grad: boolean;
  is_parameter: boolean;
  storage_group: number | null;
  storage_bytes: number;
  nbytes: number;
  sha256: string;
  stats: ExpectedStatistics;
}

export interface ExpectedDump {
  files: Record<string, { bytes: number; sha256: string }>;
  tensors: ExpectedTensor[];
  snapshots?: Record<string, ExpectedDump>;
  load_errors?: Record<string, string>;
  function_name?: string;
  module?: string;
  process_id?: number;
  call_sequence?: number;
  timestamp?: string;
  self_id?: number;
  execution_status?: string;
  graph_capture?: boolean;
  function_signature?: string;
  statuses: string[];
  input_tensor_keys?: string[];
  output_tensor_keys?: string[];
}

export interface ExpectedSession {
  session_jsonl: { bytes: number; records: number; torn_bytes: number; events: [string, string][] };
  order: { by_session_jsonl: string[]; only_on_disk: string[] };
  dumps: Record<string, ExpectedDump>;
}

export function fixturePath(name: string): string {
  return join(FIXTURES, name);
}

export function expectedSession(name: string): ExpectedSession {
  return JSON.parse(readFileSync(join(FIXTURES, 'expected', `${name}.json`), 'utf8'));
}

/** A copy of a recorded session that a test may change. */
export function copyFixture(name: string, as = name): string {
  const path = join(makeTempDir(), as);
  cpSync(fixturePath(name), path, { recursive: true });
  return path;
}
