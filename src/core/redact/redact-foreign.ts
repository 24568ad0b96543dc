import { parseJson, replaceMember, spliceJson, stringifyJson } from '../json/index.js';
import type { JsonObject } from '../model/json.js';
import { objectFrom, stringFrom, stringsFrom } from '../session/json-fields.js';
import { pythonRules } from './record-rules.js';
import { redactField } from './redact-record.js';
import { ValueRedaction } from './redact-value.js';
import { layoutsOf } from './redacted-tensors.js';
import type { Redactor } from './redactor.js';

/**
 * The text of a record that another recorder wrote, without the content of its values; what stays keeps its characters.
 * `tensors`: layouts by key, without values. FirError UNREADABLE_RECORD.
 */
export function redactForeign(
  text: string,
  tensors: Readonly<Record<string, JsonObject>>,
  redactor: Redactor,
): string {
  const parsed = parseJson(text);
  const record = objectFrom(parsed) ?? {};
  const values = new ValueRedaction(pythonRules(redactor));
  const redacted: JsonObject = {};
  for (const [name, field] of Object.entries(record)) {
    const own = name === 'fir' ? field : redactField(name, field, values);
    Object.defineProperty(redacted, name, {
      value: own,
      writable: true,
      enumerable: true,
      configurable: true,
    });
  }
  const spliced = spliceJson(text, parsed, redacted);
  return replaceMember(spliced, 'fir', stringifyJson(additionsTo(record, tensors)));
}

function additionsTo(record: JsonObject, tensors: Readonly<Record<string, JsonObject>>): JsonObject {
  const before = objectFrom(record['fir']) ?? {};
  const info = objectFrom(record['tensor_info']) ?? {};
  const process = stringFrom(before['process']);
  const keys = [
    ...(stringsFrom(info['input_tensor_keys']) ?? []),
    ...(stringsFrom(info['output_tensor_keys']) ?? []),
  ];
  return {
    recorder: stringFrom(before['recorder']) ?? 'flashinfer',
    ...(process === undefined ? {} : { process }),
    tensors: layoutsOf(tensors, keys),
    redacted: true,
  };
}
