import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FirError } from '../errors.js';
import { GRAPH_FLUSHES, OLD_METADATA } from '../flashinfer/index.js';
import { writeFileBeside } from '../io/write-beside.js';
import { METADATA } from '../session/dump-scan.js';
import { readLines } from '../session/line-reader.js';
import { parseLine } from '../session/parse-line.js';
import { statOf } from '../session/safe-path.js';
import { addToForeign } from './foreign-additions.js';

/**
 * Notes in the records of a foreign recorder's dump, and of its snapshots, which process they belong to. What is no record
 * keeps its bytes; each file is whole at any time. `path` is the dump's directory. FirError TOO_LARGE.
 */
export function noteProcessIn(path: string, process: string): void {
  noteInDirectory(path, process);
  const flushes = join(path, GRAPH_FLUSHES);
  if (statOf(flushes)?.isDirectory() !== true) return;
  for (const entry of readdirSync(flushes, { withFileTypes: true })) {
    if (entry.isDirectory()) noteInDirectory(join(flushes, entry.name), process);
  }
}

function noteInDirectory(directory: string, process: string): void {
  const path = join(directory, METADATA);
  const old = join(directory, OLD_METADATA);
  if (statOf(path)?.isFile() === true) writeFileBeside(path, notedLines(path, process));
  else if (statOf(old)?.isFile() === true) {
    const bytes = readFileSync(old);
    const line = { offset: 0, length: bytes.length, bytes, terminated: true };
    if ('value' in parseLine(line)) {
      writeFileBeside(old, [Buffer.from(addToForeign(bytes.toString('utf8'), { process }))]);
    }
  }
}

function* notedLines(path: string, process: string): Generator<Uint8Array> {
  const fd = openSync(path, 'r');
  try {
    for (const line of readLines(fd)) {
      const newline = line.terminated ? '\n' : '';
      if (line.bytes === undefined) {
        throw new FirError('TOO_LARGE', 'a line is too long to be written again', { where: path });
      }
      const isRecord = 'value' in parseLine(line);
      yield isRecord
        ? Buffer.from(`${addToForeign(line.bytes.toString('utf8'), { process })}${newline}`)
        : Buffer.concat([line.bytes, Buffer.from(newline)]);
    }
  } finally {
    closeSync(fd);
  }
}
