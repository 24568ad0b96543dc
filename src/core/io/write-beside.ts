import { randomBytes } from 'node:crypto';
import { closeSync, openSync, renameSync, rmSync } from 'node:fs';
import { writeFully } from './positioned-io.js';

/**
 * Writes a file of mode 0600 beside `path` and renames it there once it is complete, so that a file of that name is
 * always whole; what fails leaves nothing behind. Throws the file system's own errors.
 */
export function writeFileBeside(path: string, pieces: Iterable<Uint8Array>): void {
  const beside = `${path}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`;
  const fd = openSync(beside, 'wx', 0o600);
  try {
    try {
      writeFully(fd, pieces);
    } finally {
      closeSync(fd);
    }
    renameSync(beside, path);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
}
