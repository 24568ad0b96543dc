import { closeSync, ftruncateSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { readFully } from '../../core/io/positioned-io.js';
import type { KeptCall } from './kept-call.js';

/** Where a record of a call stands. */
export interface IndexLine {
  readonly segment: Segment;
  readonly offset: number;
  readonly length: number;
}

interface Segment {
  readonly path: string;
  size: number;
  /** Bytes of records of calls that are kept. */
  live: number;
  readonly calls: Set<KeptCall>;
}

const LARGEST_SEGMENT = 1024 * 1024;
const SMALLEST_SEGMENT = 8 * 1024;
/** A smaller file is not written anew, however little of it is needed. */
const WORTHWHILE = 64 * 1024;

/**
 * The index of one thread, `session.<process_uid>.<n>.jsonl`: a row of small files of which only the last grows. Where
 * the records of dropped calls outweigh the others in one, those others are written again at the end of the last, and
 * the file is removed. A reader that meets both finds the same records twice.
 */
export class SegmentLog {
  /** Of all its files, as they are on disk. */
  bytes = 0;
  readonly #prefix: string;
  readonly #segmentBytes: number;
  readonly #segments = new Set<Segment>();
  #current: Segment;
  #fd: number;
  #count = 0;

  /** Segments are small beside the session's limit, `maxBytes`. */
  constructor(session: string, uid: string, maxBytes: number) {
    this.#prefix = `${session}/session.${uid}.`;
    this.#segmentBytes = Math.max(SMALLEST_SEGMENT, Math.min(LARGEST_SEGMENT, Math.floor(maxBytes / 64)));
    [this.#current, this.#fd] = this.#open();
  }

  append(call: KeptCall, line: Uint8Array): void {
    call.lines.push(this.#write(call, line));
  }

  #write(call: KeptCall, line: Uint8Array): IndexLine {
    if (this.#current.size >= this.#segmentBytes) this.#roll();
    const segment = this.#current;
    const offset = segment.size;
    let written = 0;
    try {
      while (written < line.length) written += writeSync(this.#fd, line, written);
    } catch (error) {
      // A disk that is full took a part: nothing may follow a torn record.
      if (written > 0) ftruncateSync(this.#fd, offset);
      throw error;
    }
    segment.size += line.length;
    segment.live += line.length;
    segment.calls.add(call);
    this.bytes += line.length;
    return { segment, offset, length: line.length };
  }

  /** The call's dump is gone: so are its records, for readers. */
  drop(call: KeptCall): void {
    const touched = new Set<Segment>();
    for (const { segment, length } of call.lines) {
      segment.live -= length;
      segment.calls.delete(call);
      touched.add(segment);
    }
    call.lines = [];
    for (const segment of touched) {
      const dead = segment.size - segment.live;
      if (segment !== this.#current) {
        if (dead > segment.live) this.#dissolve(segment);
      } else if (dead > segment.live && segment.size >= Math.min(this.#segmentBytes, WORTHWHILE)) {
        this.#roll();
        this.#dissolve(segment);
      }
    }
  }

  /** Frees what records of dropped calls take in one file. False where there are none. */
  compact(): boolean {
    for (const segment of this.#segments) {
      if (segment.live === segment.size) continue;
      if (segment === this.#current) this.#roll();
      this.#dissolve(segment);
      return true;
    }
    return false;
  }

  #open(): [Segment, number] {
    this.#count += 1;
    const path = `${this.#prefix}${this.#count}.jsonl`;
    const fd = openSync(path, 'ax', 0o600);
    const segment: Segment = { path, size: 0, live: 0, calls: new Set() };
    this.#segments.add(segment);
    return [segment, fd];
  }

  #roll(): void {
    const before = this.#fd;
    [this.#current, this.#fd] = this.#open();
    closeSync(before);
  }

  /** Written again first, then removed: at no instant is a record of a kept call in no file. */
  #dissolve(segment: Segment): void {
    this.#segments.delete(segment);
    if (segment.calls.size > 0) {
      const fd = openSync(segment.path, 'r');
      try {
        for (const call of [...segment.calls].sort((a, b) => a.sequence - b.sequence)) {
          call.lines = call.lines.map((line) =>
            line.segment === segment ? this.#write(call, readLine(fd, line)) : line,
          );
        }
      } finally {
        closeSync(fd);
      }
    }
    this.bytes -= segment.size;
    unlinkSync(segment.path);
  }
}

function readLine(fd: number, { offset, length }: IndexLine): Uint8Array {
  const bytes = Buffer.allocUnsafe(length);
  if (readFully(fd, bytes, offset) < length) throw new Error('a segment of the index was cut short');
  return bytes;
}
