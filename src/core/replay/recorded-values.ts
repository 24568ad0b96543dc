import { FirError } from '../errors.js';
import type { JsonObject, JsonValue } from '../model/json.js';
import type { Dump } from '../session/index.js';
import { ownField } from '../session/json-fields.js';
import type { ValueDecoder } from '../values/index.js';
import { isNode, MAX_NODE_DEPTH } from '../values/nodes.js';

/**
 * The arguments of a call, by position; Python's keyword arguments follow as one object.
 *
 * @throws FirError VALUE_INVALID where a position is missing, and what decoding throws.
 */
export function decodeArguments(dump: Dump, decoder: ValueDecoder): unknown[] {
  const { input_metadata: metadata } = dump.record;
  const args: unknown[] = [];
  const keys = argumentKeys(dump);
  for (const [index, key] of keys.positional.entries()) {
    if (key !== `arg_${index}`) {
      throw new FirError('VALUE_INVALID', `the record has no arg_${index}, but ${key}`, { where: dump.path });
    }
    args.push(decoder.decode(valueOrTensor(metadata, key), key));
  }
  if (keys.named.length === 0) return args;
  const named: object = {};
  for (const key of keys.named) {
    const value = decoder.decode(valueOrTensor(metadata, key), key);
    const name = key.slice('kwarg_'.length);
    Object.defineProperty(named, name, { value, writable: true, enumerable: true, configurable: true });
  }
  args.push(named);
  return args;
}

/** Keys of whole arguments: a tensor that is an argument itself stands among the tensor keys alone. */
export function argumentKeys(dump: Dump): { positional: string[]; named: string[] } {
  const { input_metadata: metadata } = dump.record;
  const keys = new Set([
    ...Object.keys(metadata),
    ...dump.keys('inputs').filter((key) => !isNested(key, metadata)),
  ]);
  const positional = [...keys].filter((key) => /^arg_\d+$/.test(key));
  positional.sort((a, b) => Number(a.slice(4)) - Number(b.slice(4)));
  return { positional, named: [...keys].filter((key) => key.startsWith('kwarg_')) };
}

/**
 * What the call returned, as encoded; undefined where the record has no result. A tensor that is the result itself
 * stands among the tensor keys alone, and FlashInfer keeps the items of a tuple apart: they come as a `tupleType`.
 */
export function recordedResult(dump: Dump, tupleType: 'list' | 'tuple' = 'list'): JsonValue | undefined {
  const { output_metadata: metadata } = dump.record;
  const keys = dump.keys('outputs');
  const whole = ownField(metadata, 'result');
  if (whole !== undefined) return whole;
  if (keys.includes('result')) return tensorNode('result');
  const items = new Set([...Object.keys(metadata), ...keys].filter((key) => /^result_\d+$/.test(key)));
  if (items.size === 0) return undefined;
  const names = [...items].sort((a, b) => Number(a.slice(7)) - Number(b.slice(7)));
  return {
    type: tupleType,
    length: names.length,
    items: names.map((key) => valueOrTensor(metadata, key)),
  };
}

/** Whether something in a result can differ beside tensors: scalars, texts, empty containers, but not what was cut off. */
export function hasPlainValues(value: JsonValue): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (Array.isArray(value)) return value.length === 0 || value.some(hasPlainValues);
  const { type, items, entries } = value;
  if (typeof value['repr'] === 'string') return false;
  if (type === 'torch.Tensor' || type === 'js.undefined' || type === 'js.object_ref') return false;
  const contents = items ?? entries;
  if (!Array.isArray(contents)) return value['truncated'] !== true;
  const isPair = type === 'dict' || type === 'js.map';
  const values = isPair ? contents.map((pair) => (isNode(pair) ? (pair['value'] ?? null) : pair)) : contents;
  return values.length === 0 || values.some(hasPlainValues);
}

/** Pairs of tensor keys at the same places of two encoded values, the first one's to the second one's. */
export function pairTensors(expected: JsonValue, actual: JsonValue): Map<string, string> {
  const pairs = new Map<string, string>();
  pairInto(pairs, expected, actual, 0);
  return pairs;
}

function pairInto(pairs: Map<string, string>, expected: JsonValue, actual: JsonValue, depth: number): void {
  if (depth > MAX_NODE_DEPTH) return;
  if (Array.isArray(expected) && Array.isArray(actual)) {
    expected.forEach((item, index) => {
      pairInto(pairs, item, actual[index] ?? null, depth + 1);
    });
  } else if (isNode(expected) && isNode(actual)) {
    const [key, actualKey] = [expected['tensor_key'], actual['tensor_key']];
    if (expected['type'] === 'torch.Tensor' && typeof key === 'string' && typeof actualKey === 'string') {
      pairs.set(key, actualKey);
    } else if (expected['type'] === 'dict') {
      const found = new Map(pairsOf(actual).map((pair) => [JSON.stringify(pair['key']), pair['value']]));
      for (const pair of pairsOf(expected)) {
        pairInto(pairs, pair['value'] ?? null, found.get(JSON.stringify(pair['key'])) ?? null, depth + 1);
      }
    } else {
      for (const [name, value] of Object.entries(expected)) {
        pairInto(pairs, value, ownField(actual, name) ?? null, depth + 1);
      }
    }
  }
}

function pairsOf(node: JsonObject): JsonObject[] {
  return Array.isArray(node['items']) ? node['items'].filter(isNode) : [];
}

/** A tensor that is a whole argument or result stands among the tensor keys alone. */
function valueOrTensor(metadata: Readonly<Record<string, JsonValue>>, key: string): JsonValue {
  const value = ownField(metadata, key);
  return value === undefined ? tensorNode(key) : value;
}

function tensorNode(key: string): JsonObject {
  return { type: 'torch.Tensor', tensor_key: key };
}

/** Whether a tensor key is of a value inside an argument that the record describes. */
function isNested(key: string, metadata: Readonly<Record<string, JsonValue>>): boolean {
  for (let cut = key.indexOf('__', 4); cut > 0; cut = key.indexOf('__', cut + 1)) {
    if (Object.hasOwn(metadata, key.slice(0, cut))) return true;
  }
  return false;
}
