import { readFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { messageOf } from '../errors.js';
import { completeOldRecord } from '../flashinfer/index.js';
import { parseJson } from '../json/index.js';
import type { JsonObject } from '../model/json.js';
import { type CallTable, IN_OLD_METADATA } from './call-table.js';
import { objectFrom } from './json-fields.js';
import { headFrom } from './record-head.js';
import { addRecord } from './record-log.js';
import { sizeOfSessionFile } from './safe-path.js';

/** A record is a few KiB; this file is read whole. */
const MAX_BYTES = 16 * 1024 * 1024;

/** Adds the call of a dump whose record is one `metadata.json`. Gives the number of records, or what is wrong with it. */
export function readOldRecord(
  realRoot: string,
  path: string,
  dump: string,
  table: CallTable,
): number | string {
  try {
    const size = sizeOfSessionFile(realRoot, path);
    if (size === undefined) return 0;
    if (size > MAX_BYTES) return `longer than ${MAX_BYTES} bytes`;
    const bytes = readFileSync(path);
    const record = oldRecordFrom(bytes.toString('utf8'), dump);
    const head = record === undefined ? 'not a record: no JSON object' : headFrom(record);
    if (typeof head === 'string') return head;
    const place = { file: IN_OLD_METADATA, offset: 0, length: bytes.length, checksum: crc32(bytes) };
    return addRecord(table, head, place, dump) ?? 1;
  } catch (error) {
    return messageOf(error);
  }
}

/** Undefined where the text holds no JSON object. */
export function oldRecordFrom(text: string, dump: string): JsonObject | undefined {
  const record = objectFrom(parseJson(text));
  return record === undefined ? undefined : completeOldRecord(record, dump);
}
