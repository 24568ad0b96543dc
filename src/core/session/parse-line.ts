import { isUtf8 } from 'node:buffer';
import { messageOf } from '../errors.js';
import { parseJson } from '../json/index.js';
import type { JsonObject } from '../model/json.js';
import { objectFrom } from './json-fields.js';
import { type Line, MAX_LINE_BYTES } from './line-reader.js';

export type ParsedLine = { value: JsonObject } | { reason: string };

/** The JSON object that a line holds, or why there is none. */
export function parseLine(line: Line): ParsedLine {
  const { bytes } = line;
  if (bytes === undefined) return { reason: `longer than ${MAX_LINE_BYTES} bytes` };
  if (isBlank(bytes)) return { reason: 'blank line' };
  if (!isUtf8(bytes)) return { reason: line.terminated ? 'not UTF-8' : TORN };
  try {
    const value = objectFrom(parseJson(bytes.toString('utf8')));
    return value === undefined ? { reason: 'not a record: no JSON object' } : { value };
  } catch (error) {
    return { reason: line.terminated ? messageOf(error) : TORN };
  }
}

const TORN = 'torn: the file ends in the middle of a record';

function isBlank(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);
}
