import { stringifyJson } from '../core/json/index.js';
import type { FirFields, RecordedError, Resolution } from '../core/model/call.js';
import type { JsonObject, JsonValue } from '../core/model/json.js';
import type { TensorData, TensorLayout } from '../core/model/tensor.js';
import type { TensorGroup } from './tensor-group.js';

const MIB = 1024 * 1024;

/** The half of a record that is known before the call runs. */
export interface RecordStart {
  functionName: string;
  module: string;
  callSequence: number;
  timestamp: string;
  processId: number;
  selfId: number | undefined;
  inputMetadata: Record<string, JsonValue>;
  inputs: TensorGroup;
  signature: string;
  /** Already JSON. */
  versions: string;
  dumpDir: string;
  fir: Pick<FirFields, 'process_uid' | 'sequence' | 'parent' | 'started_at' | 'kind'> & Partial<FirFields>;
}

/** The half that is known once the call has ended. */
export interface RecordEnd {
  status: 'completed' | 'failed';
  outputMetadata: Record<string, JsonValue>;
  outputs: TensorGroup | undefined;
  fir: Partial<FirFields>;
  error?: RecordedError | JsonObject;
}

/**
 * Writes a call's records as JSON text. The parts that both records share are turned into text once: two records a
 * call are on the hot path, and a record is mostly its inputs.
 */
export class RecordText {
  readonly #start: RecordStart;
  readonly #head: string;
  readonly #inputKeys: string;
  readonly #inputDetails: string;
  readonly #inputTensors: string;
  readonly #middle: string;

  constructor(start: RecordStart) {
    this.#start = start;
    const self = start.selfId === undefined ? '' : `,"self_id":${start.selfId}`;
    this.#head =
      `{"function_name":${JSON.stringify(start.functionName)},"module":${JSON.stringify(start.module)}` +
      `,"call_sequence":${start.callSequence},"timestamp":"${start.timestamp}","process_id":${start.processId}${self}` +
      `,"input_metadata":${JSON.stringify(start.inputMetadata)}`;
    this.#inputKeys = JSON.stringify(start.inputs.keys);
    this.#inputDetails = detailsText(start.inputs.layouts);
    this.#inputTensors = layoutsText(start.inputs.layouts);
    this.#middle =
      `,"tensor_format":"${start.inputs.format}","function_signature":${JSON.stringify(start.signature)}` +
      `,"versions":${start.versions}`;
  }

  started(resolve: Resolution | undefined): string {
    const { inputs } = this.#start;
    return (
      `${this.#head},"output_metadata":{}` +
      `,"tensor_info":{"input_tensor_keys":${this.#inputKeys},"output_tensor_keys":[]` +
      `,"input_size_bytes":${inputs.sizeBytes},"input_size_mb":${inputs.sizeBytes / MIB}}` +
      `,"tensor_details":{${this.#inputDetails}}${this.#middle}${this.#tail('inputs_saved')}` +
      `,"fir":{${this.#fir({}, resolve)},"tensors":{${this.#inputTensors}}}}`
    );
  }

  /** `selfId` is that of an object which the call was found to have made only at its end. */
  ended(end: RecordEnd, resolve: Resolution | undefined, selfId?: number): string {
    const self = selfId === undefined ? '' : `,"self_id":${selfId}`;
    const inputBytes = this.#start.inputs.sizeBytes;
    const outputBytes = end.outputs?.sizeBytes ?? 0;
    const total = inputBytes + outputBytes;
    const tensors = [this.#inputTensors];
    const details = [this.#inputDetails];
    if (end.outputs !== undefined) {
      tensors.push(layoutsText(end.outputs.layouts));
      details.push(detailsText(end.outputs.layouts));
    }
    return (
      `${this.#head},"output_metadata":${JSON.stringify(end.outputMetadata)}` +
      `,"tensor_info":{"input_tensor_keys":${this.#inputKeys}` +
      `,"output_tensor_keys":${JSON.stringify(end.outputs?.keys ?? [])}` +
      `,"input_size_bytes":${inputBytes},"input_size_mb":${inputBytes / MIB}` +
      `,"output_size_bytes":${outputBytes},"output_size_mb":${outputBytes / MIB}` +
      `,"total_size_bytes":${total},"total_size_mb":${total / MIB}}` +
      `,"tensor_details":{${details.filter(Boolean).join(',')}}${this.#middle}${this.#tail(end.status)}${self}` +
      `,"fir":{${this.#fir(end.fir, resolve, end.error)},"tensors":{${tensors.filter(Boolean).join(',')}}}}`
    );
  }

  #tail(status: string): string {
    return `,"execution_status":"${status}","graph_capture":false,"dump_dir":${JSON.stringify(this.#start.dumpDir)}`;
  }

  #fir(more: Partial<FirFields>, resolve: Resolution | undefined, error?: RecordEnd['error']): string {
    const fields: JsonObject | object = { version: 1, ...this.#start.fir, ...more };
    if (error !== undefined) Object.assign(fields, { error });
    if (resolve !== undefined) Object.assign(fields, { resolve });
    // Of 64-bit integers statistics have every digit.
    const hasBigints = more.mutated_stats !== undefined;
    return (hasBigints ? stringifyJson(fields as JsonObject) : JSON.stringify(fields)).slice(1, -1);
  }
}

/** By hand: the layouts are the larger part of a small call's record, and JSON.stringify would look at every field. */
function layoutsText(layouts: Record<string, TensorLayout>): string {
  const parts: string[] = [];
  for (const key of Object.keys(layouts)) {
    const layout = layouts[key];
    if (layout === undefined) continue;
    const host = layout.host === undefined ? '' : `,"host":${JSON.stringify(layout.host)}`;
    const data = layout.data === undefined ? '' : `,"data":${dataText(layout.data)}`;
    const stats = layout.stats === undefined ? '' : `,"stats":${stringifyJson({ ...layout.stats })}`;
    parts.push(
      `${JSON.stringify(key)}:{"storage":${layout.storage},"storageBytes":${layout.storageBytes}` +
        `,"offset":${layout.offset},"stride":[${layout.stride}],"shape":[${layout.shape}]` +
        `,"dtype":"${layout.dtype}","device":${JSON.stringify(layout.device)}${host}${data}${stats}}`,
    );
  }
  return parts.join(',');
}

function dataText(data: TensorData): string {
  return 'file' in data ? `{"file":"${data.file}","key":${JSON.stringify(data.key)}}` : JSON.stringify(data);
}

function detailsText(layouts: Record<string, TensorLayout>): string {
  const parts: string[] = [];
  for (const key of Object.keys(layouts)) {
    const layout = layouts[key];
    if (layout === undefined) continue;
    parts.push(
      `${JSON.stringify(key)}:{"shape":[${layout.shape}],"dtype":"torch.${layout.dtype}"` +
        `,"stride":[${layout.stride}],"device":${JSON.stringify(layout.device)}}`,
    );
  }
  return parts.join(',');
}
