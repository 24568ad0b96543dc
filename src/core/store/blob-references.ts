import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { GRAPH_FLUSHES } from '../flashinfer/index.js';
import { entriesOf } from '../session/directory.js';
import { METADATA } from '../session/dump-scan.js';
import { readLines } from '../session/line-reader.js';
import { parseLine } from '../session/parse-line.js';
import { statOf } from '../session/safe-path.js';
import { blobsOf } from './blob-set.js';

/** The contents that the records in a dump's own files refer to, its snapshots' included. `path` is its directory. */
export function* blobReferencesIn(path: string): Generator<string> {
  yield* referencesOf(join(path, METADATA));
  const flushes = join(path, GRAPH_FLUSHES);
  if (statOf(flushes)?.isDirectory() !== true) return;
  for (const { name } of entriesOf(flushes)) yield* referencesOf(join(flushes, name, METADATA));
}

function* referencesOf(path: string): Generator<string> {
  if (statOf(path)?.isFile() !== true) return;
  const fd = openSync(path, 'r');
  try {
    for (const line of readLines(fd)) {
      if (line.bytes?.includes('"sha256"') !== true) continue;
      const parsed = parseLine(line);
      if ('value' in parsed) yield* blobsOf(parsed.value);
    }
  } finally {
    closeSync(fd);
  }
}
