import type { JsonObject, JsonValue } from '../../core/model/json.js';
import { jsonText } from '../json-text.js';

const DEEPEST = 12;

/**
 * An encoded argument as people write values: `{input: <arg_0__value_0>, scale: 0.5}`. A tensor is its key in angle
 * brackets; what has no short form is shown as it is encoded. Not yet printable.
 */
export function encodedText(value: JsonValue, depth = 0): string {
  // Without quotes, which the text "NaN" has.
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  if (value === null || typeof value !== 'object') return jsonText(value);
  if (depth > DEEPEST) return '…';
  if (Array.isArray(value)) return jsonText(value);
  switch (value['type']) {
    case 'torch.Tensor':
      return `<${text(value, 'tensor_key')}>`;
    case 'list':
      return `[${items(value)
        .map((item) => encodedText(item, depth + 1))
        .join(', ')}${cutMark(value)}]`;
    case 'tuple':
      return `(${items(value)
        .map((item) => encodedText(item, depth + 1))
        .join(', ')}${cutMark(value)})`;
    case 'dict':
      return `{${items(value)
        .map((item) => entryText(item, depth + 1))
        .join(', ')}${cutMark(value)}}`;
    case 'torch.dtype':
      return text(value, 'value');
    case 'enum':
      return `${text(value, 'name')} (${jsonText(value['value'])})`;
    case 'js.undefined':
      return 'undefined';
    case 'js.number':
      return text(value, 'value');
    case 'js.bigint':
      return `${text(value, 'value')}n`;
    case 'fir.redacted':
      return redactedText(value);
    case 'js.object_ref':
      return `${text(value, 'class')} #${jsonText(value['self_id'])}`;
    default:
      return jsonText(value);
  }
}

/** `[redacted string, 23 characters, 5f0c…]`: equal texts have equal hashes. */
function redactedText({ of, length, hash }: JsonObject): string {
  const parts = [
    `redacted ${typeof of === 'string' ? of : 'value'}`,
    ...(typeof length === 'number' ? [`${length} characters`] : []),
    ...(typeof hash === 'string' ? [hash.slice(0, 8)] : []),
  ];
  return `[${parts.join(', ')}]`;
}

function items({ items }: JsonObject): JsonValue[] {
  return Array.isArray(items) ? items : [];
}

function entryText(item: JsonValue, depth: number): string {
  if (item === null || typeof item !== 'object' || Array.isArray(item)) return jsonText(item);
  const key = item['key'];
  const name = typeof key === 'string' && /^[\w$]+$/.test(key) ? key : encodedText(key ?? null, depth);
  return `${name}: ${encodedText(item['value'] ?? null, depth)}`;
}

function cutMark(value: JsonObject): string {
  return value['truncated'] === true ? ', …' : '';
}

function text(value: JsonObject, name: string): string {
  const member = value[name];
  return typeof member === 'string' ? member : jsonText(member);
}
