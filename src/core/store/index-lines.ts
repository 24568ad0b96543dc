import { closeSync, fstatSync, lstatSync, openSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { FirError } from '../errors.js';
import type { Turns } from '../io/turns.js';
import type { Session } from '../session/index.js';
import { readLines } from '../session/line-reader.js';
import { parseLine } from '../session/parse-line.js';
import { headFrom } from '../session/record-head.js';
import { dumpNameFrom } from '../session/safe-path.js';
import { blobsOf } from './blob-set.js';

/** Whose a line is where it is no record, and where no call of the session is what it tells of. */
export const NO_RECORD = -1;
export const NO_CALL = -2;

const FIRST_CAPACITY = 1024;
const SHA256 = '"sha256"';

/** One index file as it was when it was read. */
export interface IndexFile {
  name: string;
  path: string;
  dev: number;
  ino: number;
  size: number;
  /** Lines `begin` up to `end` are its own. */
  begin: number;
  end: number;
}

/** Where each line of a session's index files stands and whose it is, as columns: 20 bytes a line. */
export class IndexLines {
  readonly files: IndexFile[] = [];
  /** Number of the dump that the line is about, NO_RECORD or NO_CALL. */
  owner = new Int32Array(FIRST_CAPACITY);
  /** In bytes; `length` with its newline. */
  offset = new Float64Array(FIRST_CAPACITY);
  length = new Float64Array(FIRST_CAPACITY);
  size = 0;

  add(owner: number, offset: number, length: number): void {
    if (this.size === this.owner.length) this.#grow();
    this.owner[this.size] = owner;
    this.offset[this.size] = offset;
    this.length[this.size] = length;
    this.size += 1;
  }

  #grow(): void {
    const owner = new Int32Array(this.size * 2);
    const offset = new Float64Array(this.size * 2);
    const length = new Float64Array(this.size * 2);
    owner.set(this.owner);
    offset.set(this.offset);
    length.set(this.length);
    Object.assign(this, { owner, offset, length });
  }
}

/**
 * Reads the lines of a session's index files. `ownerOf` gives the number of the dump that a record names, undefined where
 * it is no call's; `onBlob` is told the contents that its records refer to. FirError UNSAFE_PATH for an index that is a
 * link; INTERRUPTED.
 */
export async function readIndexLines(
  session: Pick<Session, 'realRoot' | 'indexes'>,
  ownerOf: (dump: string) => number | undefined,
  onBlob: (owner: number, sha256: string) => void,
  turns: Turns,
): Promise<IndexLines> {
  const lines = new IndexLines();
  for (const name of session.indexes) {
    const path = join(session.realRoot, name);
    if (!lstatSync(path).isFile()) {
      throw new FirError('UNSAFE_PATH', `${name} is a symbolic link, and would be written in its place`, {
        where: path,
        hint: 'put the file itself there',
      });
    }
    const fd = openSync(path, 'r');
    try {
      const file = fileFrom(name, path, fstatSync(fd), lines.size);
      for (const line of readLines(fd)) {
        const parsed = parseLine(line);
        const head = 'reason' in parsed ? parsed.reason : headFrom(parsed.value);
        const length = line.length + (line.terminated ? 1 : 0);
        if (typeof head === 'string' || !('value' in parsed)) {
          lines.add(NO_RECORD, line.offset, length);
          continue;
        }
        const owner = ownerOf(dumpNameFrom(head.dumpDir) ?? head.dumpDir) ?? NO_CALL;
        lines.add(owner, line.offset, length);
        if (line.bytes?.includes(SHA256) === true) {
          for (const sha256 of blobsOf(parsed.value)) onBlob(owner, sha256);
        }
        await turns.take();
      }
      file.end = lines.size;
      lines.files.push(file);
    } finally {
      closeSync(fd);
    }
  }
  return lines;
}

function fileFrom(name: string, path: string, { dev, ino, size }: Stats, begin: number): IndexFile {
  return { name, path, dev, ino, size, begin, end: begin };
}
