import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { readFully } from '../../core/io/positioned-io.js';

/** The first bytes of a regular file. Throws for anything else, a symbolic link too. */
export function readStart(path: string, maxBytes: number): Buffer {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stats = fstatSync(fd);
    if (!stats.isFile()) throw new Error(`${path} is no file`);
    const bytes = Buffer.alloc(Math.min(stats.size, maxBytes));
    return bytes.subarray(0, readFully(fd, bytes, 0));
  } finally {
    closeSync(fd);
  }
}
