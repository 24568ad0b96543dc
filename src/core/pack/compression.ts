import { closeSync, openSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { FirError } from '../errors.js';
import { readFully } from '../io/positioned-io.js';
import { PACK_NAME } from '../session/locate.js';

export type Compression = 'gzip' | 'zstd';

const GZIP_MAGIC = 0x8b1f;
const ZSTD_MAGIC = 0xfd2fb528;
/** Of frames without content, which may stand before others: 0x184d2a50 to 0x184d2a5f. */
const SKIPPABLE_MAGIC = 0x184d2a5;

/** What a pack's name says of it; undefined for the name of anything else. */
export function compressionFromName(path: string): Compression | undefined {
  const [, ending] = PACK_NAME.exec(basename(path)) ?? [];
  if (ending === undefined) return undefined;
  return ending.toLowerCase() === 'gz' ? 'gzip' : 'zstd';
}

/**
 * How the packed session at a path is compressed, by its first bytes; undefined where there is none.
 * FirError PACK_INVALID where only the name says that the file is one.
 */
export function compressionOf(path: string): Compression | undefined {
  const start = startOfFile(path);
  if (start === undefined) return undefined;
  const found = compressionFromStart(start);
  if (found === undefined && compressionFromName(path) !== undefined) {
    throw new FirError('PACK_INVALID', `${path} is neither a gzip nor a zstd file`, { where: path });
  }
  return found;
}

/** What compressed bytes with this beginning, of at least four of them. */
export function compressionFromStart(start: Buffer): Compression | undefined {
  if (start.length < 4) return undefined;
  if (start.readUInt16LE() === GZIP_MAGIC) return 'gzip';
  const magic = start.readUInt32LE();
  return magic === ZSTD_MAGIC || magic >>> 4 === SKIPPABLE_MAGIC ? 'zstd' : undefined;
}

/** Undefined for what is no regular file, or can't be read. */
function startOfFile(path: string): Buffer | undefined {
  try {
    // A pipe would block.
    if (!statSync(path).isFile()) return undefined;
    const fd = openSync(path, 'r');
    try {
      const start = Buffer.alloc(4);
      return start.subarray(0, readFully(fd, start, 0));
    } finally {
      closeSync(fd);
    }
  } catch {
    return undefined;
  }
}
