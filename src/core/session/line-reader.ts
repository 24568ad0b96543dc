import { fstatSync, readSync } from 'node:fs';

/** A record with its metadata is a few KiB; arguments passed by value may make it many MiB, but not this. */
export const MAX_LINE_BYTES = 64 * 1024 * 1024;

const CHUNK_BYTES = 256 * 1024;
const NEWLINE = 0x0a;

export interface Line {
  /** In bytes, from the start of the file. */
  offset: number;
  /** Without its newline. */
  length: number;
  /** A view that the next line overwrites; undefined where the line is longer than the bound. */
  bytes: Buffer | undefined;
  /** It ends with a newline; only the last line of a file can lack it. */
  terminated: boolean;
}

/**
 * The lines of an open file, in order, through a buffer of fixed size that only a long line grows, to `maxLineBytes`.
 * Reads up to the size that the file has now, so that a writer that is still at work can't keep the reader forever.
 */
export function* readLines(fd: number, maxLineBytes = MAX_LINE_BYTES): Generator<Line> {
  const size = fstatSync(fd).size;
  let buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  /** The part of the buffer that is read and not given out yet. */
  let begin = 0;
  let end = 0;
  let searched = 0;
  let offset = 0;
  let position = 0;
  /** Bytes of a line past the bound that are already dropped. */
  let dropped = 0;

  for (;;) {
    const newline = buffer.subarray(0, end).indexOf(NEWLINE, searched);
    if (newline >= 0) {
      const length = dropped + newline - begin;
      const isWhole = dropped === 0 && length <= maxLineBytes;
      yield {
        offset,
        length,
        bytes: isWhole ? buffer.subarray(begin, newline) : undefined,
        terminated: true,
      };
      offset += length + 1;
      dropped = 0;
      begin = newline + 1;
      searched = begin;
      continue;
    }
    if (end - begin > maxLineBytes || dropped > 0) {
      dropped += end - begin;
      begin = end;
    }
    const held = end - begin;
    if (held < CHUNK_BYTES / 2 && buffer.length > CHUNK_BYTES) {
      const smaller = Buffer.allocUnsafe(CHUNK_BYTES);
      buffer.copy(smaller, 0, begin, end);
      buffer = smaller;
    } else if (held > buffer.length / 2) {
      const larger = Buffer.allocUnsafe(buffer.length * 2);
      buffer.copy(larger, 0, begin, end);
      buffer = larger;
    } else {
      buffer.copyWithin(0, begin, end);
    }
    begin = 0;
    end = held;
    searched = end;
    const wanted = Math.min(buffer.length - end, size - position);
    const count = wanted === 0 ? 0 : readSync(fd, buffer, end, wanted, position);
    if (count === 0) break;
    position += count;
    end += count;
  }
  const length = dropped + end - begin;
  if (length === 0) return;
  const isWhole = dropped === 0 && length <= maxLineBytes;
  yield { offset, length, bytes: isWhole ? buffer.subarray(begin, end) : undefined, terminated: false };
}
