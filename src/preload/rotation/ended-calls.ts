import { lstatSync, readdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { isPlainName } from '../../core/session/safe-path.js';
import { HOLD } from './blob-holds.js';
import type { DropYard } from './drop-dump.js';
import { readStart } from './read-start.js';

/** As `RecordText` writes a record, its last part: one without a newline inside, in which no value can look like it. */
const NAMES =
  /,"dump_dir":"([^"\\]+)"(?:,"self_id":\d+)?,"fir":\{"version":1,"process_uid":"([0-9a-f]{16})","sequence":(\d{1,10}),/;
const SEGMENT = /^session\.([0-9a-f]{16})\.\d+\.jsonl$/;
const MAX_SEGMENT_BYTES = 256 * 1024 * 1024;
const MAX_METADATA_BYTES = 16 * 1024 * 1024;

/** Names of the index segments in a session, by the thread that wrote them. */
export function segmentsIn(session: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const name of readdirSync(session)) {
    const uid = SEGMENT.exec(name)?.[1];
    if (uid === undefined) continue;
    const known = found.get(uid);
    if (known === undefined) found.set(uid, [name]);
    else known.push(name);
  }
  return found;
}

/**
 * The calls of a thread that has ended, to be dropped the newest first: then whatever is left has all that it needs.
 * Its index is another process's file: nothing is taken away by its word alone.
 */
export class EndedCalls {
  readonly #session: string;
  readonly #uid: string;
  readonly #yard: DropYard;
  readonly #segments: readonly string[];
  /** In the order of their starts. */
  readonly #dumps: string[];

  constructor(session: string, uid: string, yard: DropYard, segments: readonly string[]) {
    this.#session = session;
    this.#uid = uid;
    this.#yard = yard;
    this.#segments = segments;
    const sequences = new Map<string, number>();
    for (const name of segments) readSegment(join(session, name), uid, sequences);
    this.#dumps = [...sequences].sort((a, b) => a[1] - b[1]).map(([dump]) => dump);
  }

  /** Drops one call; gives its bytes. Undefined where none is left: then the index goes too. */
  dropNewest(): number | undefined {
    for (let dump = this.#dumps.pop(); dump !== undefined; dump = this.#dumps.pop()) {
      const path = join(this.#session, dump);
      if (!this.#isOwn(path)) continue;
      const bytes = bytesIn(path, false);
      const contentBytes = this.#yard.drop(dump, true);
      if (contentBytes !== undefined) return bytes + contentBytes;
    }
    for (const name of this.#segments) removeFile(join(this.#session, name));
    return undefined;
  }

  /** What is there now. */
  measure(): { calls: number; bytes: number } {
    const own = this.#dumps.map((dump) => join(this.#session, dump)).filter((path) => this.#isOwn(path));
    const index = this.#segments.map(
      (name) => lstatSync(join(this.#session, name), { throwIfNoEntry: false })?.size ?? 0,
    );
    return {
      calls: own.length,
      bytes: [...own.map((path) => bytesIn(path, true)), ...index].reduce((sum, bytes) => sum + bytes, 0),
    };
  }

  /** Whether a directory's own file says that a call of this thread was recorded there. */
  #isOwn(path: string): boolean {
    if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return false;
    try {
      const text = readStart(join(path, 'metadata.jsonl'), MAX_METADATA_BYTES);
      return NAMES.exec(text.subarray(namesBegin(text)).toString('latin1'))?.[2] === this.#uid;
    } catch {
      return false;
    }
  }
}

function readSegment(path: string, uid: string, sequences: Map<string, number>): void {
  let bytes: Buffer;
  try {
    bytes = readStart(path, MAX_SEGMENT_BYTES);
  } catch {
    return;
  }
  for (let begin = 0; begin < bytes.length; ) {
    const newline = bytes.indexOf(0x0a, begin);
    const line = bytes.subarray(begin, newline < 0 ? bytes.length : newline);
    begin += line.length + 1;
    const [, dump = '', owner, sequence] =
      NAMES.exec(line.subarray(namesBegin(line)).toString('latin1')) ?? [];
    if (owner === uid && isPlainName(dump) && !dump.startsWith('.')) sequences.set(dump, Number(sequence));
  }
}

function namesBegin(line: Buffer): number {
  return Math.max(0, line.lastIndexOf(',"dump_dir":"'));
}

/** `withContents`: of content that several dumps hold, its part is counted too. */
function bytesIn(path: string, withContents: boolean): number {
  let bytes = 0;
  for (const name of namesIn(path)) {
    const stats = lstatSync(join(path, name), { throwIfNoEntry: false });
    if (stats === undefined) continue;
    if (!HOLD.test(name)) bytes += stats.size;
    else if (withContents) bytes += Math.ceil(stats.size / Math.max(1, stats.nlink - 1));
  }
  return bytes;
}

/** Another process may drop the same calls at this moment. */
function namesIn(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Another process was first.
  }
}
