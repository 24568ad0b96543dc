// Lays down sessions as the recorder would, so that readers can be tested without it.
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dtypeOf, encodeFromFloat64 } from '../../src/core/dtype/index.js';
import { stringifyJson } from '../../src/core/json/index.js';
import type { CallRecord, ExecutionStatus, FirFields, MemberKind } from '../../src/core/model/call.js';
import type { DtypeName } from '../../src/core/model/dtype.js';
import type { JsonObject, JsonValue } from '../../src/core/model/json.js';
import type { ProcessHeader } from '../../src/core/model/session.js';
import type { TensorData, TensorLayout } from '../../src/core/model/tensor.js';
import { type SafetensorsWrite, writeSafetensors } from '../../src/core/safetensors/index.js';
import { contiguousStride } from '../../src/core/tensor/index.js';

export interface WrittenTensor {
  dtype: DtypeName;
  shape: number[];
  /** Contiguous logical values; absent: contents are not saved. */
  bytes?: Uint8Array;
  strings?: string[];
  stride?: number[];
  offset?: number;
  storage?: number | string;
  storageBytes?: number;
  device?: string;
  host?: string;
  /** Instead of a place in the group's file, which then gets nothing for this key. */
  data?: TensorData;
}

export interface WrittenCall {
  functionName: string;
  module?: string;
  kind?: MemberKind;
  pid?: number;
  processUid?: string;
  selfId?: number | bigint;
  status?: ExecutionStatus;
  inputs?: Record<string, WrittenTensor>;
  outputs?: Record<string, WrittenTensor>;
  /** End states of arguments changed in place; `mutated_tensor_keys` is its keys, or absent without it. */
  mutated?: Record<string, WrittenTensor>;
  /** Beside the tensors whose key is an argument's own (`arg_0`), which are added. */
  inputMetadata?: Record<string, JsonValue>;
  outputMetadata?: Record<string, JsonValue>;
  /** Further tensors in the files, as `storage_3`. */
  extra?: { inputs?: SafetensorsWrite[]; outputs?: SafetensorsWrite[]; mutated?: SafetensorsWrite[] };
  durationUs?: number;
  fir?: Partial<FirFields>;
  record?: Partial<CallRecord> & JsonObject;
}

export interface WrittenDump {
  dump: string;
  path: string;
  record: CallRecord;
}

export interface WriteSessionOptions {
  /** As a recorder that knows nothing of `fir`: no `fir` fields, no process headers. */
  foreign?: boolean;
  /** Leaves `session.jsonl` out. */
  withoutIndex?: boolean;
  header?: Partial<ProcessHeader>;
}

const START_MS = Date.UTC(2026, 10, 24, 14, 32, 17);

/** Writes the session's files under `dir`, which is made; two records a finished call, as recorders write them. */
export function writeSession(
  dir: string,
  calls: readonly WrittenCall[],
  options: WriteSessionOptions = {},
): WrittenDump[] {
  mkdirSync(dir, { recursive: true });
  const state: WriterState = { perFunction: new Map(), perProcess: new Map(), storages: 0 };
  const lines: string[] = [];
  const written = calls.map((call, index) => writeCall(dir, call, index, options, state, lines));
  if (options.withoutIndex !== true) appendFileSync(join(dir, 'session.jsonl'), lines.join(''));
  if (options.foreign !== true) writeHeaders(dir, calls, options.header);
  return written;
}

/** A contiguous tensor from numbers, rounded to the dtype. */
export function tensorOf(
  dtype: DtypeName,
  values: readonly number[],
  shape = [values.length],
): WrittenTensor {
  return { dtype, shape, bytes: encodeFromFloat64(dtype, Float64Array.from(values)) };
}

interface WriterState {
  perFunction: Map<string, number>;
  perProcess: Map<string, number>;
  storages: number;
}

function writeCall(
  dir: string,
  call: WrittenCall,
  index: number,
  options: WriteSessionOptions,
  state: WriterState,
  lines: string[],
): WrittenDump {
  const pid = call.pid ?? 4242;
  const processUid = call.processUid ?? `uid${pid}`;
  const callSequence = countUp(state.perFunction, `${processUid} ${call.functionName}`);
  const startedAt = new Date(START_MS + index);
  const timestamp = startedAt
    .toISOString()
    .replace(/[-:]/g, '')
    .replace('T', '_')
    .replace('.', '_')
    .slice(0, 19);
  const dump = `${timestamp}_pid${pid}_${call.functionName}_call${String(callSequence).padStart(4, '0')}`;
  const path = join(dir, dump);
  mkdirSync(path);

  const layouts: Record<string, TensorLayout> = {};
  for (const group of ['inputs', 'outputs', 'mutated'] as const) {
    const tensors = call[group] ?? {};
    const writes = [...(call.extra?.[group] ?? [])];
    for (const [key, tensor] of Object.entries(tensors)) {
      const layout = layoutOf(tensor, `${group}.safetensors`, key, state);
      if (group !== 'mutated') layouts[key] = layout;
      if (tensor.data === undefined) writes.push(...writesOf(key, tensor));
    }
    if (writes.length > 0) writeSafetensors(join(path, `${group}.safetensors`), writes);
  }
  const fir: FirFields = {
    version: 1,
    process_uid: processUid,
    sequence: countUp(state.perProcess, processUid),
    parent: null,
    started_at: startedAt.toISOString().replace('Z', '000Z'),
    duration_us: call.durationUs ?? 1000 + index,
    kind: call.kind ?? (call.functionName.includes('.') ? 'method' : 'function'),
    tensors: layouts,
    ...(call.mutated === undefined ? {} : { mutated_tensor_keys: Object.keys(call.mutated) }),
    ...call.fir,
  };
  const record: CallRecord = {
    function_name: call.functionName,
    module: call.module ?? 'kernels',
    call_sequence: callSequence,
    timestamp,
    process_id: pid,
    ...(call.selfId === undefined ? {} : { self_id: call.selfId }),
    input_metadata: { ...tensorNodes(call.inputs), ...call.inputMetadata },
    output_metadata: { ...tensorNodes(call.outputs), ...call.outputMetadata },
    tensor_info: {
      input_tensor_keys: Object.keys(call.inputs ?? {}),
      output_tensor_keys: Object.keys(call.outputs ?? {}),
    },
    tensor_details: tensorDetails({ ...call.inputs, ...call.outputs }),
    tensor_format: 'safetensors',
    versions: options.foreign === true ? { flashinfer: '0.6.0', torch: '2.9.0' } : { fir: '0.1.0' },
    execution_status: call.status ?? 'completed',
    graph_capture: false,
    dump_dir: `fir_dumps/${dump}`,
    ...(options.foreign === true ? {} : { fir }),
    ...call.record,
  };
  const hasEnded = record.execution_status === 'completed' || record.execution_status === 'failed';
  const records = hasEnded
    ? [startedRecord(record, 'inputs_saved'), record]
    : [startedRecord(record, record.execution_status)];
  for (const one of records) {
    const line = `${stringifyJson(one as unknown as JsonValue)}\n`;
    appendFileSync(join(path, 'metadata.jsonl'), line);
    lines.push(line);
  }
  return { dump, path, record };
}

/** What was known before the call ran. */
function startedRecord(record: CallRecord, status: ExecutionStatus): CallRecord {
  const started: CallRecord = { ...record, execution_status: status, output_metadata: {} };
  started.tensor_info = { ...record.tensor_info, output_tensor_keys: [] };
  if (record.fir !== undefined) {
    const { duration_us: _duration, error: _error, mutated_tensor_keys: _mutated, ...fir } = record.fir;
    started.fir = fir;
  }
  return started;
}

function layoutOf(tensor: WrittenTensor, file: string, key: string, state: WriterState): TensorLayout {
  const hasContents = tensor.bytes !== undefined || tensor.strings !== undefined;
  const data = tensor.data ?? (hasContents ? { file, key } : undefined);
  return {
    storage: tensor.storage ?? ++state.storages,
    storageBytes: tensor.storageBytes ?? tensor.bytes?.length ?? 0,
    offset: tensor.offset ?? 0,
    stride: tensor.stride ?? contiguousStride(tensor.shape),
    shape: tensor.shape,
    dtype: tensor.dtype,
    device: tensor.device ?? 'cpu',
    ...(tensor.host === undefined ? {} : { host: tensor.host }),
    ...(data === undefined ? {} : { data }),
  };
}

function writesOf(key: string, tensor: WrittenTensor): SafetensorsWrite[] {
  if (tensor.strings !== undefined) {
    const parts = tensor.strings.map((text) => Buffer.from(text, 'utf8'));
    const offsets = new BigInt64Array(parts.length + 1);
    let end = 0n;
    parts.forEach((part, index) => {
      end += BigInt(part.length);
      offsets[index + 1] = end;
    });
    const bytes = Buffer.concat(parts);
    return [
      { key: `${key}#bytes`, dtype: 'U8', shape: [bytes.length], data: bytes },
      { key: `${key}#offsets`, dtype: 'I64', shape: [offsets.length], data: new Uint8Array(offsets.buffer) },
    ];
  }
  const data = tensor.bytes;
  if (data === undefined) return [];
  const { dtype, shape } = tensor;
  if (dtype === 'complex128') return [{ key, dtype: 'F64', shape: [...shape, 2], data }];
  if (dtype === 'int4' || dtype === 'uint4') return [{ key, dtype: 'U8', shape: [data.length], data }];
  if (dtype === 'float4_e2m1fn_x2') {
    const last = shape.length - 1;
    return [{ key, dtype: 'F4', shape: shape.map((size, dim) => (dim === last ? size * 2 : size)), data }];
  }
  return [{ key, dtype: dtypeOf(dtype).safetensors ?? 'U8', shape, data }];
}

function tensorNodes(tensors: Record<string, WrittenTensor> = {}): Record<string, JsonValue> {
  const nodes: Record<string, JsonValue> = {};
  for (const [key, tensor] of Object.entries(tensors)) {
    if (key.includes('__')) continue;
    nodes[key] = {
      type: 'torch.Tensor',
      shape: tensor.shape,
      dtype: dtypeOf(tensor.dtype).torchName,
      stride: tensor.stride ?? contiguousStride(tensor.shape),
      device: tensor.device ?? 'cpu',
      requires_grad: false,
      is_contiguous: tensor.stride === undefined,
      tensor_key: key,
    };
  }
  return nodes;
}

function tensorDetails(tensors: Record<string, WrittenTensor>): CallRecord['tensor_details'] {
  const details: CallRecord['tensor_details'] = {};
  for (const [key, tensor] of Object.entries(tensors)) {
    details[key] = {
      shape: tensor.shape,
      dtype: dtypeOf(tensor.dtype).torchName,
      stride: tensor.stride ?? contiguousStride(tensor.shape),
      device: tensor.device ?? 'cpu',
    };
  }
  return details;
}

function writeHeaders(dir: string, calls: readonly WrittenCall[], header: Partial<ProcessHeader> = {}): void {
  mkdirSync(join(dir, 'processes'), { recursive: true });
  for (const call of calls) {
    const pid = call.pid ?? 4242;
    const uid = call.processUid ?? `uid${pid}`;
    const full: ProcessHeader = {
      format: 'fir.process/1',
      process_uid: uid,
      pid,
      thread_id: 0,
      started_at: new Date(START_MS).toISOString(),
      host: { platform: 'linux', arch: 'x64', release: '6', cpu: 'a cpu', memoryBytes: 1 },
      argv: ['node', 'app.js'],
      execArgv: [],
      cwd: '/app',
      env: {},
      versions: { node: '20.19.0', fir: '0.1.0' },
      gpus: [],
      hooked: [],
      functions: {},
      dropped: { limit: 0, filter: 0, error: 0 },
      errors: [],
      ...header,
    };
    writeFileSync(join(dir, 'processes', `${uid}.json`), JSON.stringify(full));
  }
}

function countUp(counts: Map<string, number>, key: string): number {
  const next = (counts.get(key) ?? 0) + 1;
  counts.set(key, next);
  return next;
}
