import { unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { entriesOf } from '../session/directory.js';
import { statOf } from '../session/safe-path.js';

export const BLOBS = 'blobs';
export const BLOB_NAME = /^[0-9a-f]{64}$/;

/** Sizes of the contents in a session's own `blobs/`, by SHA-256. Links are none. */
export function readBlobSizes(root: string): Map<string, number> {
  const sizes = new Map<string, number>();
  const directory = join(root, BLOBS);
  if (statOf(directory)?.isDirectory() !== true) return sizes;
  for (const { name } of entriesOf(directory)) {
    const stats = BLOB_NAME.test(name) ? statOf(join(directory, name)) : undefined;
    if (stats?.isFile() === true) sizes.set(name, stats.size);
  }
  return sizes;
}

export function removeBlob(root: string, sha256: string): void {
  const path = join(root, BLOBS, sha256);
  if (statOf(path)?.isFile() === true) unlinkSync(path);
}
