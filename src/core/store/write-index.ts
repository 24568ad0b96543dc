import { closeSync, existsSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { writeFully } from '../io/positioned-io.js';
import { METADATA } from '../session/dump-scan.js';
import type { Session } from '../session/index.js';
import { readLines } from '../session/line-reader.js';
import { parseLine } from '../session/parse-line.js';
import { addToForeign } from './foreign-additions.js';
import type { KeptLine } from './kept-lines.js';
import { LineTexts } from './line-texts.js';

const BATCH_BYTES = 256 * 1024;
const NEWLINE = Buffer.from('\n');

export interface IndexSource {
  session: Session;
  /** The new session's directory, where the dumps are already. */
  target: string;
  /** Whether the dump's records were written anew. */
  isRewritten(dump: string): boolean;
  /** The process that is to be noted in the dump's records. */
  processOf(dump: string): string | undefined;
}

/** Writes the index of a new session. Gives its bytes. */
export async function writeIndex(
  source: IndexSource,
  lines: readonly KeptLine[],
  breathe: () => Promise<void>,
): Promise<number> {
  const { session, target } = source;
  const texts = new LineTexts(session.root, session.indexes);
  const fd = openSync(join(target, 'session.jsonl'), 'wx', 0o600);
  let bytes = 0;
  try {
    let batch: Uint8Array[] = [];
    let batchBytes = 0;
    const flush = () => {
      writeFully(fd, batch);
      bytes += batchBytes;
      batch = [];
      batchBytes = 0;
    };
    for (const line of lines) {
      const text = textOf(source, line, texts);
      if (text === undefined) continue;
      batch.push(text, NEWLINE);
      batchBytes += text.length + 1;
      if (batchBytes >= BATCH_BYTES) {
        flush();
        await breathe();
      }
    }
    flush();
  } finally {
    closeSync(fd);
    texts.close();
  }
  return bytes;
}

function textOf(source: IndexSource, line: KeptLine, texts: LineTexts): Uint8Array | undefined {
  const { dump, file, offset, length } = line;
  if (source.isRewritten(dump)) return rewrittenText(join(source.target, dump, METADATA), line);
  const text = texts.read(file, offset, length);
  const process = source.processOf(dump);
  return process === undefined ? text : Buffer.from(addToForeign(text.toString('utf8'), { process }));
}

/** Of the records that a rewritten dump has, the last one of the line's status; else the last of all. */
function rewrittenText(path: string, { status }: KeptLine): Uint8Array | undefined {
  if (!existsSync(path)) return undefined;
  const fd = openSync(path, 'r');
  let found: Uint8Array | undefined;
  let last: Uint8Array | undefined;
  try {
    for (const line of readLines(fd)) {
      const parsed = parseLine(line);
      if (!('value' in parsed) || line.bytes === undefined) continue;
      last = Uint8Array.from(line.bytes);
      if (parsed.value['execution_status'] === status) found = last;
    }
  } finally {
    closeSync(fd);
  }
  return found ?? last;
}
