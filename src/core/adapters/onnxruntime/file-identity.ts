import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { externalDataLocations } from './external-data.js';

const CHUNK_BYTES = 1 << 22;
/** A file that changed so recently may change again within the same tick of its clock. */
const SETTLED_MS = 2000;

export interface FileIdentity {
  size: number;
  sha256: string;
}

const known = new Map<string, { stamp: string; sha256: string }>();

/**
 * Size and sha256 of a regular file, hashed once while it stays the same. `expectedSize`: another size is told without
 * reading the file, with an empty hash. Throws what the file system throws, and an Error for what is no regular file.
 */
export function identifyFile(path: string, expectedSize?: number): FileIdentity {
  const fd = openRegular(path);
  try {
    const { size, mtimeMs, ctimeMs, ino, dev } = fstatSync(fd);
    if (expectedSize !== undefined && size !== expectedSize) return { size, sha256: '' };
    const stamp = `${dev} ${ino} ${size} ${mtimeMs} ${ctimeMs}`;
    const before = known.get(path);
    if (before?.stamp === stamp) return { size, sha256: before.sha256 };
    const sha256 = hashOf(fd, size);
    if (Date.now() - Math.max(mtimeMs, ctimeMs) > SETTLED_MS) known.set(path, { stamp, sha256 });
    return { size, sha256 };
  } finally {
    closeSync(fd);
  }
}

/** Side files that a model names. Throws what the file system throws. */
export function sideFilesOf(path: string): string[] {
  const fd = openRegular(path);
  try {
    const read = (position: number, length: number): Uint8Array => {
      const bytes = Buffer.allocUnsafe(length);
      return bytes.subarray(0, readSync(fd, bytes, 0, length, position));
    };
    return externalDataLocations(read, fstatSync(fd).size);
  } finally {
    closeSync(fd);
  }
}

/** Without waiting for the other end of a pipe, nor reading what never ends. */
function openRegular(path: string): number {
  const fd = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  if (fstatSync(fd).isFile()) return fd;
  closeSync(fd);
  throw new Error(`${path} is no regular file`);
}

function hashOf(fd: number, size: number): string {
  const hash = createHash('sha256');
  const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, Math.max(size, 1)));
  let position = 0;
  for (;;) {
    const got = readSync(fd, chunk, 0, chunk.length, position);
    if (got === 0) break;
    hash.update(chunk.subarray(0, got));
    position += got;
  }
  if (position !== size) throw new Error('the file changed while it was read');
  return hash.digest('hex');
}
