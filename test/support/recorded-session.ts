// Sessions whose tensor files the recorder's own writers lay out, in either format and with all that they can hold.
import { createHash } from 'node:crypto';
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringifyJson } from '../../src/core/json/index.js';
import type { CallRecord } from '../../src/core/model/call.js';
import type { JsonValue } from '../../src/core/model/json.js';
import type { TensorLayout, TensorSource } from '../../src/core/model/tensor.js';
import { logicalData } from '../../src/core/tensor-files/tensor-data.js';
import { describeHostTensor } from '../../src/core/values/index.js';
import { ObjectTable } from '../../src/preload/object-table.js';
import { SameTensors } from '../../src/preload/same-tensor.js';
import { layOutGroup, type TensorFormat, type TensorGroup } from '../../src/preload/tensor-group.js';

export interface RecordedCall {
  /** Arrays, buffers and tensors, or what describes one. */
  inputs: Record<string, object>;
  outputs?: Record<string, object>;
  mutated?: Record<string, object>;
  /** Further keys of tensors among `mutated`. */
  mutatedAliases?: readonly string[];
  /** Keys whose contents are not saved, and those that stand in blobs/. */
  contentless?: readonly string[];
  blobs?: readonly string[];
}

/** Writes one call of `f` after the other, all of one process. */
export function writeRecorded(dir: string, calls: readonly RecordedCall[], format: TensorFormat): void {
  const objects = new ObjectTable();
  mkdirSync(dir, { recursive: true });
  calls.forEach((call, index) => {
    const name = `20261124_143217_${String(index).padStart(3, '0')}_pid7_f_call${String(index + 1).padStart(4, '0')}`;
    const path = join(dir, name);
    mkdirSync(path);
    const common = { format, storageId: (storage: object) => objects.storageId(storage) };
    const inputSources = sourcesOf(call.inputs);
    const same = new SameTensors();
    const inputs = layOutGroup('inputs', inputSources, {
      ...common,
      sameAs: (key, source) => same.find(key, source),
      isContentless: (key) => call.contentless?.includes(key) === true,
      blob: (key, source) => (call.blobs?.includes(key) === true ? storeBlob(dir, source) : undefined),
    });
    const known = new SameTensors(inputSources);
    const outputs = layOutGroup('outputs', sourcesOf(call.outputs ?? {}), {
      ...common,
      sameAs: (key, source) => known.find(key, source),
    });
    const mutated = layOutGroup('mutated', sourcesOf(call.mutated ?? {}), { ...common, isPlain: true });
    for (const group of [inputs, outputs, mutated]) writeGroup(path, group);
    const started = recordOf(name, index, format, inputs, undefined, undefined);
    const mutatedKeys = [...mutated.keys, ...(call.mutatedAliases ?? [])];
    const ended = recordOf(name, index, format, inputs, outputs, mutatedKeys);
    for (const record of [started, ended]) {
      const line = `${stringifyJson(record as unknown as JsonValue)}\n`;
      appendFileSync(join(path, 'metadata.jsonl'), line);
      appendFileSync(join(dir, 'session.jsonl'), line);
    }
  });
}

function sourcesOf(tensors: Record<string, object>): Map<string, TensorSource> {
  const sources = new Map<string, TensorSource>();
  for (const [key, value] of Object.entries(tensors)) {
    const source =
      'byteOffset' in value && 'host' in value ? (value as TensorSource) : describeHostTensor(value);
    if (source !== undefined) sources.set(key, source);
  }
  return sources;
}

function storeBlob(dir: string, source: TensorSource): string {
  const bytes = logicalData(source);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  mkdirSync(join(dir, 'blobs'), { recursive: true });
  writeFileSync(join(dir, 'blobs', sha256), bytes);
  return sha256;
}

function writeGroup(path: string, group: TensorGroup): void {
  if (group.pieces.length > 0) writeFileSync(join(path, group.file), Buffer.concat(group.pieces));
}

function recordOf(
  name: string,
  index: number,
  format: TensorFormat,
  inputs: TensorGroup,
  outputs: TensorGroup | undefined,
  mutatedKeys: readonly string[] | undefined,
): CallRecord {
  const layouts: Record<string, TensorLayout> = { ...inputs.layouts, ...outputs?.layouts };
  return {
    function_name: 'f',
    module: 'kernels',
    call_sequence: index + 1,
    timestamp: name.slice(0, 19),
    process_id: 7,
    input_metadata: {},
    output_metadata: {},
    tensor_info: { input_tensor_keys: inputs.keys, output_tensor_keys: outputs?.keys ?? [] },
    tensor_details: Object.fromEntries(
      Object.entries(layouts).map(([key, { shape, dtype, stride, device }]) => [
        key,
        { shape, dtype: `torch.${dtype}`, stride, device },
      ]),
    ),
    tensor_format: format,
    execution_status: outputs === undefined ? 'inputs_saved' : 'completed',
    dump_dir: name,
    fir: {
      version: 1,
      process_uid: 'a1b2',
      sequence: index + 1,
      parent: null,
      started_at: new Date(Date.UTC(2026, 10, 24) + index).toISOString(),
      kind: 'function',
      tensors: layouts,
      ...(mutatedKeys === undefined ? {} : { mutated_tensor_keys: [...mutatedKeys] }),
    },
  };
}
