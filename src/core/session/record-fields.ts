import type {
  CallRecord,
  FirFields,
  ForeignFields,
  ForeignTensor,
  RecordedError,
  TensorDetail,
  TensorInfo,
} from '../model/call.js';
import type { JsonObject, JsonValue } from '../model/json.js';
import type { ContentData, LayoutStatistics, TensorLayout, TensorRole } from '../model/tensor.js';
import {
  countFrom,
  countsFrom,
  fieldsFrom,
  numberFrom,
  objectFrom,
  ownField,
  stringFrom,
  stringsFrom,
} from './json-fields.js';
import { layoutFrom } from './layout-fields.js';
import { layoutStatisticsFrom } from './layout-statistics.js';
import { foreignAdditionsIn, headFrom, type RecordHead } from './record-head.js';
import { resolutionFrom } from './resolution-fields.js';

export interface CheckedRecord {
  record: CallRecord;
  /** Tensor keys whose layout in `fir.tensors` makes no sense, and why. They are left out of the record. */
  badLayouts: ReadonlyMap<string, string>;
}

const ROLES: ReadonlySet<string> = new Set<TensorRole>(['in', 'out', 'inout', 'scratch', 'unknown']);

/**
 * A record whose fields have the types that they should have, or why the object is none. A field of another type is as
 * if it were absent; fields that nobody here knows are kept.
 */
export function recordFrom(value: JsonObject): CheckedRecord | string {
  const head = headFrom(value);
  if (typeof head === 'string') return head;
  const badLayouts = new Map<string, string>();
  const signature = stringFrom(value['function_signature']);
  const record: CallRecord = {
    ...value,
    function_name: head.functionName,
    module: head.module,
    call_sequence: head.callSequence,
    timestamp: stringFrom(value['timestamp']) ?? '',
    process_id: head.pid,
    input_metadata: objectFrom(value['input_metadata']) ?? {},
    output_metadata: objectFrom(value['output_metadata']) ?? {},
    tensor_info: tensorInfoFrom(objectFrom(value['tensor_info']) ?? {}),
    tensor_details: fieldsFrom(value['tensor_details'], detailFrom),
    tensor_format: value['tensor_format'] === 'safetensors' ? 'safetensors' : 'torch',
    execution_status: head.status,
    graph_capture: head.graphCapture,
    dump_dir: head.dumpDir,
  };
  setOrDelete(record, 'self_id', head.selfId);
  setOrDelete(record, 'function_signature', signature);
  setOrDelete(record, 'versions', objectFrom(value['versions']));
  setOrDelete(record, 'fir', firFrom(objectFrom(value['fir']), head, badLayouts));
  setOrDelete(record, 'foreign', foreignFrom(foreignAdditionsIn(value), head, badLayouts));
  return { record, badLayouts };
}

function firFrom(
  value: JsonObject | undefined,
  head: RecordHead,
  badLayouts: Map<string, string>,
): FirFields | undefined {
  if (value === undefined || head.fir === undefined) return undefined;
  const fir: FirFields = {
    ...value,
    version: 1,
    process_uid: head.fir.processUid,
    sequence: head.fir.sequence,
    parent: head.fir.parent,
    started_at: stringFrom(value['started_at']) ?? '',
    kind: head.kind,
    tensors: layoutsFrom(value['tensors'], badLayouts),
  };
  setOrDelete(fir, 'end_sequence', countFrom(value['end_sequence']));
  setOrDelete(fir, 'duration_us', numberFrom(value['duration_us']));
  setOrDelete(fir, 'gpu_us', numberFrom(value['gpu_us']));
  setOrDelete(fir, 'async', booleanFrom(value['async']));
  setOrDelete(fir, 'resolve', resolutionFrom(value['resolve']));
  setOrDelete(fir, 'constructs', booleanFrom(value['constructs']));
  setOrDelete(fir, 'self_class', head.selfClass);
  setOrDelete(fir, 'roles', value['roles'] === undefined ? undefined : fieldsFrom(value['roles'], roleFrom));
  setOrDelete(fir, 'mutated_tensor_keys', stringsFrom(value['mutated_tensor_keys']));
  setOrDelete(fir, 'mutated_pending_keys', stringsFrom(value['mutated_pending_keys']));
  setOrDelete(fir, 'mutated_data', mutatedDataFrom(value['mutated_data']));
  setOrDelete(fir, 'mutated_arguments', objectFrom(value['mutated_arguments']));
  setOrDelete(fir, 'mutated_pending_arguments', stringsFrom(value['mutated_pending_arguments']));
  setOrDelete(fir, 'not_replayable', stringsFrom(value['not_replayable']));
  setOrDelete(fir, 'truncated', booleanFrom(value['truncated']));
  setOrDelete(fir, 'redacted', booleanFrom(value['redacted']));
  setOrDelete(fir, 'mutated_stats', statisticsFrom(value['mutated_stats']));
  setOrDelete(fir, 'error', errorFrom(value['error']));
  setOrDelete(fir, 'dropped', objectFrom(value['dropped']));
  return fir;
}

function foreignFrom(
  value: JsonObject | undefined,
  head: RecordHead,
  badLayouts: Map<string, string>,
): ForeignFields | undefined {
  if (value === undefined) return undefined;
  const layouts = layoutsFrom(value['tensors'], badLayouts);
  return {
    recorder: stringFrom(value['recorder']) ?? '',
    ...(head.foreignProcess === undefined ? {} : { process: head.foreignProcess }),
    tensors: fieldsFrom(value['tensors'], (field, key): ForeignTensor | undefined => {
      const layout = ownField(layouts, key);
      return layout === undefined ? undefined : { ...layout, ...torchFlags(objectFrom(field)) };
    }),
    ...(value['redacted'] === true ? { redacted: true as const } : {}),
  };
}

function torchFlags(value: JsonObject | undefined): Pick<ForeignTensor, 'parameter' | 'requiresGrad'> {
  return {
    ...(value?.['parameter'] === true ? { parameter: true as const } : {}),
    ...(value?.['requiresGrad'] === true ? { requiresGrad: true as const } : {}),
  };
}

function layoutsFrom(
  value: JsonValue | undefined,
  badLayouts: Map<string, string>,
): Record<string, TensorLayout> {
  return fieldsFrom(value, (layout, key): TensorLayout | undefined => {
    const checked = layoutFrom(layout);
    if (typeof checked !== 'string') return checked;
    badLayouts.set(key, checked);
    return undefined;
  });
}

/** What has the wrong type must not stay behind from the spread. */
function setOrDelete<T extends object, K extends keyof T>(target: T, name: K, value: T[K] | undefined): void {
  if (value === undefined) delete target[name];
  else target[name] = value;
}

function tensorInfoFrom(value: JsonObject): TensorInfo {
  return {
    ...value,
    input_tensor_keys: stringsFrom(value['input_tensor_keys']) ?? [],
    output_tensor_keys: stringsFrom(value['output_tensor_keys']) ?? [],
  };
}

/** Also of a `torch.Tensor` node, which has the same fields. */
export function detailFrom(value: JsonValue): TensorDetail | undefined {
  const object = objectFrom(value);
  const shape = countsFrom(object?.['shape']);
  const dtype = stringFrom(object?.['dtype']);
  const stride = countsFrom(object?.['stride']);
  if (shape === undefined || dtype === undefined || stride === undefined) return undefined;
  return { shape, dtype, stride, device: stringFrom(object?.['device']) ?? 'unknown' };
}

function errorFrom(value: JsonValue | undefined): RecordedError | undefined {
  const object = objectFrom(value);
  if (object === undefined) return undefined;
  const stack = stringFrom(object['stack']);
  const thrown = object['value'];
  return {
    name: stringFrom(object['name']) ?? 'Error',
    message: messageFrom(object['message']),
    ...(stack === undefined ? {} : { stack }),
    ...(thrown === undefined ? {} : { value: thrown }),
  };
}

/** What stands for a message that was left out is told in words. */
function messageFrom(message: JsonValue | undefined): string {
  const mark = objectFrom(message);
  if (mark?.['type'] !== 'fir.redacted') return stringFrom(message) ?? '';
  const length = countFrom(mark['length']);
  return length === undefined ? '[redacted]' : `[redacted, ${length} characters]`;
}

function mutatedDataFrom(value: JsonValue | undefined): Record<string, ContentData> | undefined {
  if (value === undefined) return undefined;
  return fieldsFrom(value, (field): ContentData | undefined => {
    const sha256 = stringFrom(objectFrom(field)?.['sha256']);
    return sha256 === undefined ? undefined : { sha256 };
  });
}

function statisticsFrom(value: JsonValue | undefined): Record<string, LayoutStatistics> | undefined {
  return value === undefined ? undefined : fieldsFrom(value, layoutStatisticsFrom);
}

function roleFrom(value: JsonValue): TensorRole | undefined {
  return typeof value === 'string' && ROLES.has(value) ? (value as TensorRole) : undefined;
}

function booleanFrom(value: JsonValue | undefined): boolean | undefined {
  return typeof value === 'boolean' ? value : undefined;
}
