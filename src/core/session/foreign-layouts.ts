import { byteLengthOf, dtypeFromSafetensors, dtypeOf } from '../dtype/index.js';
import { FirError } from '../errors.js';
import type { CallRecord, TensorDetail } from '../model/call.js';
import type { JsonValue } from '../model/json.js';
import type { TensorLayout } from '../model/tensor.js';
import { contiguousStride, extentOf } from '../tensor/index.js';
import { objectFrom, ownField } from './json-fields.js';
import { detailFrom } from './record-fields.js';

/** A layout as far as a foreign record tells it: which storage it lies in is never said. */
export type ForeignLayout = Omit<TensorLayout, 'storage' | 'data'>;

/**
 * Layout of a tensor from its node in the arguments or results, where it is nested, else from `tensor_details`; the
 * device there is the recorder's copy's, which always reads `cpu`, but for a captured call, of which no copy was made.
 * FirError DTYPE_UNKNOWN, TENSOR_INVALID.
 */
export function foreignLayoutOf(
  record: CallRecord,
  group: 'inputs' | 'outputs',
  key: string,
): ForeignLayout | undefined {
  const original = originalDetailOf(record, group, key);
  if (original !== undefined) return layoutFromDetail(original, original.device);
  const detail = ownField(record.tensor_details, key);
  if (detail === undefined) return undefined;
  return layoutFromDetail(detail, detail.device === 'cpu' ? 'unknown' : detail.device);
}

/** The same, only where it tells of the program's own tensor and not of the recorder's copy. */
export function trueLayoutOf(
  record: CallRecord,
  group: 'inputs' | 'outputs',
  key: string,
): ForeignLayout | undefined {
  const original = originalDetailOf(record, group, key);
  return original === undefined ? undefined : layoutFromDetail(original, original.device);
}

/** What the record says of a tensor, of the copy or of the original. */
export function foreignDetailOf(
  record: CallRecord,
  group: 'inputs' | 'outputs',
  key: string,
): TensorDetail | undefined {
  return originalDetailOf(record, group, key) ?? ownField(record.tensor_details, key);
}

function originalDetailOf(
  record: CallRecord,
  group: 'inputs' | 'outputs',
  key: string,
): TensorDetail | undefined {
  const node = nodesOf(group === 'inputs' ? record.input_metadata : record.output_metadata).get(key);
  return node ?? (record.graph_capture === true ? ownField(record.tensor_details, key) : undefined);
}

/** Layout of a tensor of which a file says all that is known. */
export function layoutFromEntry(entry: {
  dtype: string;
  shape: readonly number[];
}): ForeignLayout | undefined {
  const dtype = dtypeFromSafetensors(entry.dtype);
  if (dtype === undefined) return undefined;
  const shape = [...entry.shape];
  const last = shape.length - 1;
  // The header counts single values where torch counts bytes of two.
  if (dtype.name === 'float4_e2m1fn_x2' && last >= 0) shape[last] = Math.ceil((shape[last] ?? 0) / 2);
  const detail = { shape, dtype: dtype.name, stride: contiguousStride(shape), device: 'unknown' };
  return layoutFromDetail(detail, 'unknown');
}

function layoutFromDetail(detail: TensorDetail, device: string): ForeignLayout {
  const dtype = dtypeOf(detail.dtype).name;
  const { shape, stride } = detail;
  if (stride.length !== shape.length) {
    throw new FirError('TENSOR_INVALID', `${shape.length} dimensions, but ${stride.length} strides`);
  }
  const extent = extentOf(shape, stride, 0);
  const storageBytes = extent === undefined ? 0 : byteLengthOf(dtype, extent.high + 1);
  return { dtype, shape, stride, offset: 0, storageBytes, device };
}

const NODES = new WeakMap<object, ReadonlyMap<string, TensorDetail>>();

/** All `torch.Tensor` nodes of encoded arguments, by their key. Walked without recursion: nesting may be deep. */
function nodesOf(metadata: Record<string, JsonValue>): ReadonlyMap<string, TensorDetail> {
  const known = NODES.get(metadata);
  if (known !== undefined) return known;
  const nodes = new Map<string, TensorDetail>();
  const open: JsonValue[] = Object.values(metadata);
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (Array.isArray(value)) {
      for (const entry of value) open.push(entry);
      continue;
    }
    const object = objectFrom(value);
    if (object === undefined) continue;
    const key = object['tensor_key'];
    const detail = typeof key === 'string' ? detailFrom(object) : undefined;
    if (typeof key === 'string' && detail !== undefined) nodes.set(key, detail);
    else for (const entry of Object.values(object)) open.push(entry);
  }
  NODES.set(metadata, nodes);
  return nodes;
}
