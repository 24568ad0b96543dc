import { closeSync, openSync } from 'node:fs';
import { FirError, messageOf } from '../../errors.js';
import { readFully } from '../../io/positioned-io.js';

/** Bytes `[begin, end)` of a file. FirError TENSOR_DATA_MISSING where it has become shorter, TOO_LARGE. */
export function readFileRange(path: string, begin: number, end: number): Buffer {
  const bytes = allocate(end - begin, path);
  const fd = openSync(path, 'r');
  try {
    if (readFully(fd, bytes, begin) === bytes.length) return bytes;
  } finally {
    closeSync(fd);
  }
  throw new FirError('TENSOR_DATA_MISSING', 'the file ends before the tensor does', { where: path });
}

function allocate(size: number, path: string): Buffer {
  try {
    return Buffer.allocUnsafe(size);
  } catch (cause) {
    throw new FirError('TOO_LARGE', `${size} bytes do not fit into memory at once: ${messageOf(cause)}`, {
      where: path,
      cause,
    });
  }
}
