import { createReadStream, mkdirSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { FirError, messageOf } from '../errors.js';
import { decompress } from './coders.js';
import type { Compression } from './compression.js';
import { TarReader } from './tar-reader.js';
import { UnpackedFiles } from './unpacked-files.js';

export interface UnpackLimits {
  /** Of all that the pack holds, unpacked. */
  bytes: number;
  /** Files and directories. */
  entries: number;
}

const MAX_BYTES = 64 * 2 ** 30;
const MAX_ENTRIES = 2_000_000;
/** Part of the free room that a pack may take. */
const MAX_PART_OF_FREE = 0.9;

/**
 * Unpacks a session into `root`, which must not exist: its own files and no others. What a pack claims allocates
 * nothing, and is no more than is there: what is larger than the limits is refused, at the latest where it goes past
 * them. What was written by then stays.
 * FirError PACK_INVALID, UNSAFE_PATH, NOT_A_SESSION, TOO_LARGE, IO_FAILED, INTERRUPTED.
 */
export async function unpackSession(
  pack: string,
  compression: Compression,
  root: string,
  {
    signal,
    limits = limitsOf(dirname(root)),
  }: { signal?: AbortSignal | undefined; limits?: UnpackLimits } = {},
): Promise<void> {
  mkdirSync(root, { mode: 0o700 });
  const files = new UnpackedFiles(root, limits.entries);
  const reader = new TarReader(files, limits.bytes);
  try {
    for await (const piece of decompress(createReadStream(pack), compression)) {
      if (signal?.aborted === true) throw new FirError('INTERRUPTED', 'the unpacking was interrupted');
      reader.push(piece);
    }
    reader.finish();
  } catch (error) {
    throw unpackError(error, pack, root);
  } finally {
    files.onEntryEnd();
  }
  if (files.files === 0) {
    throw new FirError('NOT_A_SESSION', `${pack} holds no recorded session`, {
      where: pack,
      hint: 'pack a session directory with: fir filter <session> --pack <file>.tar.gz',
    });
  }
}

function limitsOf(directory: string): UnpackLimits {
  const { bavail, bsize } = statfsSync(directory);
  return { bytes: Math.min(MAX_BYTES, Math.floor(bavail * bsize * MAX_PART_OF_FREE)), entries: MAX_ENTRIES };
}

function unpackError(error: unknown, pack: string, root: string): FirError {
  if (error instanceof FirError) {
    const { code, message, where, hint } = error;
    return new FirError(code, `${pack}: ${message}`, { where: where ?? pack, hint, cause: error });
  }
  if ((error as NodeJS.ErrnoException).syscall !== undefined) {
    return new FirError('IO_FAILED', `${pack} can't be unpacked: ${messageOf(error)}`, {
      where: dirname(root),
      hint: 'it is unpacked in the directory for temporary files; TMPDIR names another one',
      cause: error,
    });
  }
  return new FirError('PACK_INVALID', `${pack} is damaged: ${messageOf(error)}`, {
    where: pack,
    cause: error,
  });
}
