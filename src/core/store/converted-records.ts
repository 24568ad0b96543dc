import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { completeOldRecord, OLD_METADATA } from '../flashinfer/index.js';
import { parseJson, replaceMember, stringifyJson } from '../json/index.js';
import type { CallRecord } from '../model/call.js';
import type { JsonObject, JsonValue } from '../model/json.js';
import { METADATA } from '../session/dump-scan.js';
import type { Dump } from '../session/index.js';
import { objectFrom, stringsFrom } from '../session/json-fields.js';
import { readLines } from '../session/line-reader.js';
import { parseLine } from '../session/parse-line.js';
import { foreignAdditionsIn, headFrom } from '../session/record-head.js';
import { sizeOfSessionFile } from '../session/safe-path.js';
import type { MovedTensor } from './convert-dump.js';
import { addToForeign } from './foreign-additions.js';

export interface RecordChanges {
  format: CallRecord['tensor_format'];
  /** By key, where the values stand now. */
  moved: ReadonlyMap<string, MovedTensor>;
  /** Keys of changed arguments that stand in the file of `mutated` now. */
  endStates: ReadonlySet<string>;
  /** By key, where others stand in blobs/. */
  endContents?: ReadonlyMap<string, string>;
  /** Those of another recorder's call of which the files no longer tell everything. */
  added: ReadonlySet<string>;
}

/** A dump's records with what a conversion changed: the rest of another recorder's keeps its characters. */
export function convertedLines(dump: Dump, name: string, realRoot: string, changes: RecordChanges): string[] {
  const lines: string[] = [];
  for (const text of recordTexts(dump, name, realRoot)) {
    const line = convertedText(text, changes);
    if (line !== undefined) lines.push(line);
  }
  return lines;
}

/** One record with what a conversion changed; undefined where the text is none. */
export function convertedText(text: string, changes: RecordChanges): string | undefined {
  const value = objectFrom(parseJson(text));
  if (value === undefined || typeof headFrom(value) === 'string') return undefined;
  const formatted =
    value['tensor_format'] === changes.format
      ? text
      : replaceMember(text, 'tensor_format', JSON.stringify(changes.format));
  const isForeign = value['fir'] === undefined || foreignAdditionsIn(value) !== undefined;
  return isForeign ? foreignText(formatted, value, changes) : firText(formatted, value, changes);
}

/** One text a record, on one line. */
function recordTexts(dump: Dump, name: string, realRoot: string): string[] {
  const path = join(dump.path, METADATA);
  const old = join(dump.path, OLD_METADATA);
  if (isThere(realRoot, path)) {
    const texts: string[] = [];
    const fd = openSync(path, 'r');
    try {
      for (const line of readLines(fd)) {
        if (line.bytes !== undefined && 'value' in parseLine(line)) texts.push(line.bytes.toString('utf8'));
      }
    } finally {
      closeSync(fd);
    }
    return texts;
  }
  if (!isThere(realRoot, old)) return [dump.recordText];
  return [completedText(readFileSync(old, 'utf8'), name)];
}

function isThere(realRoot: string, path: string): boolean {
  return existsSync(path) && sizeOfSessionFile(realRoot, path) !== undefined;
}

/** A record of the `metadata.json` era as a line, with what it left out. No string of JSON holds a line break. */
function completedText(text: string, name: string): string {
  const value = objectFrom(parseJson(text)) ?? {};
  const complete = completeOldRecord(value, name);
  let line = text.replace(/[\r\n]+\s*/g, '');
  for (const field of ['dump_dir', 'execution_status']) {
    if (value[field] !== complete[field])
      line = replaceMember(line, field, stringifyJson(complete[field] ?? null));
  }
  return line;
}

function firText(text: string, value: JsonObject, changes: RecordChanges): string {
  const { moved } = changes;
  const fir = objectFrom(value['fir']);
  let hasChanged = fir !== undefined && moveEndStates(fir, changes);
  for (const [key, layout] of Object.entries(objectFrom(fir?.['tensors']) ?? {})) {
    const target = moved.get(key);
    const object = objectFrom(layout);
    if (target === undefined || object?.['data'] === undefined) continue;
    object['data'] = { ...target.data };
    hasChanged = true;
  }
  return hasChanged && fir !== undefined ? replaceMember(text, 'fir', stringifyJson(fir)) : text;
}

function moveEndStates(fir: JsonObject, { endStates, endContents }: RecordChanges): boolean {
  const before = objectFrom(fir['mutated_data']) ?? {};
  const contents = Object.entries(before).filter(([key]) => !endStates.has(key));
  const changed = ['mutated_tensor_keys', 'mutated_pending_keys'].flatMap(
    (name) => stringsFrom(fir[name]) ?? [],
  );
  for (const key of new Set(changed)) {
    const sha256 = endContents?.get(key);
    if (sha256 !== undefined && !Object.hasOwn(before, key)) contents.push([key, { sha256 }]);
  }
  if (contents.length === Object.keys(before).length && contents.every(([key]) => Object.hasOwn(before, key)))
    return false;
  if (contents.length === 0) delete fir['mutated_data'];
  else fir['mutated_data'] = Object.fromEntries(contents);
  return true;
}

function foreignText(text: string, value: JsonObject, { moved, added }: RecordChanges): string {
  const before = objectFrom(objectFrom(value['fir'])?.['tensors']);
  const tensors: JsonObject = Object.create(null);
  for (const [key, layout] of Object.entries(before ?? {})) if (!moved.has(key)) tensors[key] = layout;
  const keys = keysOf(value);
  for (const [key, target] of moved) {
    if (added.has(key) && keys.has(key)) tensors[key] = additionOf(target);
  }
  if (before === undefined && Object.keys(tensors).length === 0) return text;
  return addToForeign(text, { tensors });
}

function keysOf(value: JsonObject): Set<string> {
  const info = objectFrom(value['tensor_info']);
  const keys = ['input_tensor_keys', 'output_tensor_keys'].flatMap((name) => stringsFrom(info?.[name]) ?? []);
  return new Set(keys);
}

function additionOf({ stored, storage, data }: MovedTensor): JsonValue {
  const { storageBytes, offset, stride, shape, dtype, device, parameter, requiresGrad } = stored;
  return {
    storage,
    storageBytes,
    offset,
    stride: [...stride],
    shape: [...shape],
    dtype,
    device,
    ...(parameter === true ? { parameter } : {}),
    ...(requiresGrad === true ? { requiresGrad } : {}),
    data: { ...data },
  };
}
