import { closeSync, openSync } from 'node:fs';
import { readFully } from '../io/positioned-io.js';

const WINDOW_BYTES = 1 << 20;

/** Where a record's text stands in a file. */
export interface BytePlace {
  offset: number;
  length: number;
}

/**
 * Shows the bytes at each of the places of a file, ascending, through one buffer that a long record alone grows: each
 * part of the file is read once. A place past the end of the file has no bytes.
 */
export function visitBytes<P extends BytePlace>(
  path: string,
  places: Iterable<P>,
  visit: (place: P, bytes: Buffer) => void,
): void {
  const fd = openSync(path, 'r');
  try {
    let window = Buffer.allocUnsafe(WINDOW_BYTES);
    let begin = 0;
    let filled = 0;
    for (const place of places) {
      const { offset, length } = place;
      if (offset < begin || offset + length > begin + filled) {
        if (length > window.length) window = Buffer.allocUnsafe(length);
        begin = offset;
        filled = readFully(fd, window, begin);
      }
      visit(place, window.subarray(offset - begin, Math.min(offset - begin + length, filled)));
    }
  } finally {
    closeSync(fd);
  }
}
