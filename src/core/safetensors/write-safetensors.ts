import { randomBytes } from 'node:crypto';
import { closeSync, openSync, renameSync, rmSync } from 'node:fs';
import { encodeSafetensorsHeader, type SafetensorsWrite } from './encode-header.js';
import { writeFully } from './positioned-io.js';

/**
 * Writes a file of mode 0600 beside `path` and renames it there once it is complete. Returns its bytes.
 * Throws as encodeSafetensorsHeader does, and the file system's own errors.
 */
export function writeSafetensors(
  path: string,
  tensors: readonly SafetensorsWrite[],
  metadata?: Readonly<Record<string, string>>,
): number {
  const { header, ordered } = encodeSafetensorsHeader(tensors, metadata);
  const pieces = [header, ...ordered.flatMap(({ data }) => data)];
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
  return pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
}
