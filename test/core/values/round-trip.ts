import { dtypeOf } from '../../../src/core/dtype/index.js';
import { parseJson, stringifyJson } from '../../../src/core/json/index.js';
import type { JsonValue } from '../../../src/core/model/json.js';
import type { TensorSource } from '../../../src/core/model/tensor.js';
import { Storage, Tensor } from '../../../src/core/tensor/index.js';
import {
  type DecodeContext,
  hostFromTensor,
  ValueDecoder,
  ValueEncoder,
} from '../../../src/core/values/index.js';

export interface RoundTrip {
  encoded: JsonValue[];
  values: unknown[];
  encoder: ValueEncoder;
}

/** Encodes values as the arguments of one call, writes and reads the JSON, and builds them back. */
export function roundTrip(values: readonly unknown[], context: Partial<DecodeContext> = {}): RoundTrip {
  const encoder = new ValueEncoder();
  const texts = values.map((value, index) => stringifyJson(encoder.encode(value, `arg_${index}`)));
  const encoded = texts.map((text) => parseJson(text));
  const decoder = new ValueDecoder({ tensor: rehydrate(encoder.tensors), ...context });
  return { encoded, encoder, values: encoded.map((value, index) => decoder.decode(value, `arg_${index}`)) };
}

/** Tensors as a replay makes them: one copy of each storage, which its tensors share. */
function rehydrate(sources: ReadonlyMap<string, TensorSource>): (key: string) => unknown {
  const storages = new Map<object, Storage>();
  return (key) => {
    const source = sources.get(key);
    if (source === undefined) throw new Error(`no tensor ${key}`);
    let storage = storages.get(source.storage);
    if (storage === undefined) {
      const memory = source.bytes.buffer;
      storage = new Storage(new Uint8Array(memory.slice(0)));
      storages.set(source.storage, storage);
    }
    const { dtype, shape, stride, byteOffset, device } = source;
    const offset = (byteOffset * 8) / dtypeOf(dtype).bitsPerElement;
    return hostFromTensor(source.host, new Tensor({ dtype, shape, stride, offset, storage, device }));
  };
}

/**
 * A text that two values share exactly when they have the same structure, the same contents and the same sharing
 * between their objects. Written apart from the encoder: this is what the encoder is held against.
 */
export function fingerprint(value: unknown, seen: Map<object, number> = new Map()): string {
  if (typeof value === 'symbol') return String(value);
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? '-0' : String(value);
  const known = seen.get(value);
  if (known !== undefined) return `#${known}`;
  seen.set(value, seen.size);
  const prototype: object | null = Object.getPrototypeOf(value);
  const inner = (part: unknown) => fingerprint(part, seen);
  const content: string[] = [prototype === null ? 'null' : prototype.constructor.name];
  if (value instanceof Map) content.push(...[...value].map(([key, item]) => `${inner(key)}=>${inner(item)}`));
  if (value instanceof Set) content.push(...[...value].map(inner));
  if (value instanceof Date) content.push(inner(value.getTime()));
  if (value instanceof RegExp) content.push(String(value), String(value.lastIndex));
  if (value instanceof Error) content.push(value.message);
  if (value instanceof URL || value instanceof URLSearchParams) content.push(String(value));
  if (value instanceof Number || value instanceof String || value instanceof Boolean)
    content.push(inner(value.valueOf()));
  if (Array.isArray(value)) content.push(`length ${value.length}`);
  for (const name of Reflect.ownKeys(value)) {
    if (name === 'stack' || (Array.isArray(value) && name === 'length')) continue;
    content.push(`${String(name)}:${inner(Reflect.get(value, name))}`);
  }
  return `(${content.join(' ')})`;
}
