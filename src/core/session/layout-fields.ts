import { DTYPES } from '../dtype/index.js';
import type { DtypeName } from '../model/dtype.js';
import type { JsonValue } from '../model/json.js';
import type { TensorData, TensorLayout } from '../model/tensor.js';
import { countFrom, countsFrom, objectFrom, stringFrom } from './json-fields.js';
import { layoutStatisticsFrom } from './layout-statistics.js';

/** Far more than any library has; a shape costs its length at every step over a tensor. */
const MAX_DIMENSIONS = 64;

/** One entry of `fir.tensors`, or why it is none. */
export function layoutFrom(value: JsonValue): TensorLayout | string {
  const object = objectFrom(value);
  if (object === undefined) return 'it is no object';
  const shape = countsFrom(object['shape']);
  const stride = countsFrom(object['stride']);
  const offset = countFrom(object['offset']);
  const storageBytes = countFrom(object['storageBytes']);
  const storage = stringFrom(object['storage']) ?? countFrom(object['storage']);
  const dtype = stringFrom(object['dtype']);
  if (dtype === undefined || !isDtypeName(dtype)) return 'its dtype is not known';
  if (shape === undefined) return 'its shape is no list of counts';
  if (shape.length > MAX_DIMENSIONS) return `it has more than ${MAX_DIMENSIONS} dimensions`;
  if (stride === undefined) return 'its stride is no list of counts';
  if (stride.length !== shape.length) return 'its stride has another length than its shape';
  if (offset === undefined) return 'its offset is no count';
  if (storage === undefined) return 'its storage is no id';
  if (storageBytes === undefined) return 'its storageBytes is no count';
  const data = object['data'] === undefined ? undefined : dataFrom(object['data']);
  if (typeof data === 'string') return data;
  const host = stringFrom(object['host']);
  const stats = layoutStatisticsFrom(object['stats']);
  return {
    storage,
    storageBytes,
    offset,
    stride,
    shape,
    dtype,
    device: stringFrom(object['device']) ?? 'unknown',
    ...(host === undefined ? {} : { host }),
    ...(data === undefined ? {} : { data }),
    ...(stats === undefined ? {} : { stats }),
  };
}

function dataFrom(value: JsonValue): TensorData | string {
  const object = objectFrom(value);
  const file = stringFrom(object?.['file']);
  const key = stringFrom(object?.['key']);
  if (file !== undefined && key !== undefined) return { file, key };
  const sha256 = stringFrom(object?.['sha256']);
  if (object?.['redacted'] === true) return { redacted: true, ...(sha256 === undefined ? {} : { sha256 }) };
  if (sha256 !== undefined) return { sha256 };
  const sameAs = stringFrom(object?.['sameAs']);
  return sameAs === undefined ? 'its data names no place' : { sameAs };
}

function isDtypeName(name: string): name is DtypeName {
  return (DTYPES as ReadonlyMap<string, unknown>).has(name);
}
