import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject } from '../model/json.js';
import { readLines } from './line-reader.js';
import { mayBeAbout } from './named-dumps.js';
import { parseLine } from './parse-line.js';
import { headFrom } from './record-head.js';
import { dumpNameFrom } from './safe-path.js';
import type { CallStatus } from './types.js';

/** One readable record of an index file, and where its text stands there. */
export interface IndexRecord {
  /** The index file, as a number in the order in which they are read. */
  file: number;
  /** In bytes. */
  offset: number;
  length: number;
  /** Name of the dump that it is about. */
  dump: string;
  status: CallStatus;
  value: JsonObject;
}

/**
 * The records of a session's index files about dumps that `isWanted` knows, as they stand there, those that say nothing
 * new included.
 */
export function* readIndexRecords(
  root: string,
  indexes: readonly string[],
  isWanted: (dump: string) => boolean,
): Generator<IndexRecord> {
  for (const [file, name] of indexes.entries()) {
    const fd = openSync(join(root, name), 'r');
    try {
      for (const line of readLines(fd)) {
        if (line.bytes !== undefined && !mayBeAbout(line.bytes, isWanted)) continue;
        const parsed = parseLine(line);
        const head = 'reason' in parsed ? undefined : headFrom(parsed.value);
        if (head === undefined || typeof head === 'string' || !('value' in parsed)) continue;
        const dump = dumpNameFrom(head.dumpDir) ?? head.dumpDir;
        if (!isWanted(dump)) continue;
        const { offset, length } = line;
        yield { file, offset, length, dump, status: head.status, value: parsed.value };
      }
    } finally {
      closeSync(fd);
    }
  }
}
