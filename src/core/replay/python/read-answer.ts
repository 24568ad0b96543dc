import { FirError } from '../../errors.js';
import { parseJson } from '../../json/index.js';
import type { JsonObject, JsonValue } from '../../model/json.js';
import {
  countFrom,
  countsFrom,
  fieldsFrom,
  numberFrom,
  objectFrom,
  stringFrom,
  stringsFrom,
} from '../../session/json-fields.js';
import type { PythonAnswer, PythonError, PythonOutcome, ResultTensor } from './protocol.js';

/**
 * An answer of the Python worker, whose fields have the types that they should have: the called code runs in that process
 * and may have put anything in the worker's place. FirError WORKER_FAILED.
 */
export function readAnswer(json: string): PythonAnswer {
  const value = needed(objectFrom(parseJson(json)), 'it is no object');
  switch (value['type']) {
    case 'ready':
      return {
        type: 'ready',
        python: stringFrom(value['python']) ?? '?',
        torch: stringFrom(value['torch']) ?? '?',
        device: stringFrom(value['device']) ?? 'cpu',
        devices: stringsFrom(value['devices']) ?? [],
        versions: fieldsFrom(value['versions'], stringFrom),
      };
    case 'failed':
      return {
        type: 'failed',
        code: stringFrom(value['code']) ?? '',
        message: stringFrom(value['message']) ?? '',
      };
    case 'phase':
      return { type: 'phase', id: needed(countFrom(value['id']), 'it is of no call'), phase: 'invoke' };
    case 'outcome':
      return outcomeFrom(value);
    default:
      throw broken('its type is unknown');
  }
}

function outcomeFrom(value: JsonObject): PythonOutcome {
  const { end, error, tensors } = value;
  if (end !== 'returned' && end !== 'threw' && end !== 'refused') throw broken('the call has no end');
  return {
    type: 'outcome',
    id: needed(countFrom(value['id']), 'it is of no call'),
    end,
    error: errorFrom(objectFrom(error)),
    durationUs: numberFrom(value['duration_us']) ?? 0,
    result: value['result'] ?? null,
    tensors: Array.isArray(tensors) ? tensors.map(tensorFrom) : [],
    notes: stringsFrom(value['notes']) ?? [],
    once: stringsFrom(value['once']) ?? [],
    fatal: value['fatal'] === true,
  };
}

function errorFrom(value: JsonObject | undefined): PythonError | undefined {
  if (value === undefined) return undefined;
  return {
    name: stringFrom(value['name']) ?? 'Error',
    message: stringFrom(value['message']) ?? '',
    stack: stringFrom(value['stack']),
    code: stringFrom(value['code']),
  };
}

function tensorFrom(node: JsonValue): ResultTensor {
  const value = needed(objectFrom(node), 'a tensor is none');
  const field = <T>(field: T | undefined) => needed(field, 'a tensor is not described');
  return {
    key: field(stringFrom(value['key'])),
    dtype: field(stringFrom(value['dtype'])),
    shape: field(countsFrom(value['shape'])),
    stride: field(countsFrom(value['stride'])),
    device: stringFrom(value['device']) ?? 'cpu',
    storage: String(value['storage']),
    layout: value['layout'] === 'range' ? 'range' : 'contiguous',
    bytes: field(countFrom(value['bytes'])),
    inline: countFrom(value['inline']),
    file: stringFrom(value['file']),
  };
}

function needed<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw broken(what);
  return value;
}

function broken(what: string): FirError {
  return new FirError('WORKER_FAILED', `an answer of the Python worker makes no sense: ${what}`);
}
