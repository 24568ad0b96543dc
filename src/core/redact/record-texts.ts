import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { stringifyJson } from '../json/index.js';
import type { JsonObject } from '../model/json.js';
import { METADATA } from '../session/dump-scan.js';
import type { Dump } from '../session/index.js';
import { readLines } from '../session/line-reader.js';
import { parseLine } from '../session/parse-line.js';
import { headFrom } from '../session/record-head.js';

/** The records of a call, oldest first: those of its own log, and the truest one where that is not among them. */
export function recordTexts(dump: Dump): string[] {
  const texts = ownTexts(`${dump.path}/${METADATA}`);
  if (texts.includes(dump.recordText)) return texts;
  const isRecord =
    typeof headOf(Buffer.from(dump.recordText)) !== 'string' && !dump.recordText.includes('\n');
  if (isRecord) return [...texts, dump.recordText];
  // A record of before there were lines: what it lacks was added when it was read.
  const { foreign: _, ...record } = dump.record;
  return texts.length > 0 ? texts : [stringifyJson(record as unknown as JsonObject)];
}

function ownTexts(path: string): string[] {
  let fd: number;
  try {
    // A link would lead out of the session, and a pipe would have no end.
    fd = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
  } catch {
    return [];
  }
  try {
    if (!fstatSync(fd).isFile()) return [];
    const texts: string[] = [];
    for (const { bytes } of readLines(fd)) {
      if (bytes !== undefined && typeof headOf(bytes) !== 'string') texts.push(bytes.toString('utf8'));
    }
    return texts;
  } finally {
    closeSync(fd);
  }
}

function headOf(bytes: Buffer): object | string {
  const parsed = parseLine({ offset: 0, length: bytes.length, bytes, terminated: true });
  return 'value' in parsed ? headFrom(parsed.value) : parsed.reason;
}
