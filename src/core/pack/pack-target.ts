import { lstatSync } from 'node:fs';
import { resolve } from 'node:path';
import { FirError } from '../errors.js';
import { type Compression, compressionFromName } from './compression.js';

/** What a pack that is to be written is called, whole, and how it is compressed. FirError USAGE. */
export function packTarget(path: string): { target: string; compression: Compression } {
  const compression = compressionFromName(path);
  if (compression === undefined) {
    throw new FirError('USAGE', `${path} is no name of a pack`, {
      where: path,
      hint: 'a pack ends in .tar.zst or .tar.gz',
    });
  }
  const target = resolve(path);
  if (lstatSync(target, { throwIfNoEntry: false }) !== undefined) {
    throw new FirError('USAGE', `${path} exists`, {
      where: path,
      hint: 'name a file that does not exist yet',
    });
  }
  return { target, compression };
}
