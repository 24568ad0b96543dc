import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { FirError } from '../errors.js';
import { openSession, type Session } from '../session/index.js';
import { compressionOf } from './compression.js';
import { TemporaryDirectory } from './temporary-directory.js';

/**
 * Opens the session at a path for as long as `use` takes: what `openSession` opens, or a packed session, which is
 * unpacked into a private temporary directory first. All that is told names the pack, not that directory.
 * FirError PACK_INVALID, TOO_LARGE, IO_FAILED, INTERRUPTED, and those of `openSession`.
 */
export async function withSession<T>(
  path: string,
  signal: AbortSignal | undefined,
  use: (session: Session) => T | Promise<T>,
): Promise<T> {
  const compression = compressionOf(path);
  if (compression === undefined) return await use(openSession(path));
  const { unpackSession } = await import('./unpack-session.js');
  const place = new TemporaryDirectory(tmpdir(), 'fir-unpacked');
  const root = join(place.path, basename(path));
  try {
    await unpackSession(path, compression, root, { signal });
    return await use(openSession(root, path));
  } catch (error) {
    throw retold(error, root, path);
  } finally {
    place.remove();
  }
}

/** The error with the pack's path in place of where it was unpacked. */
function retold(error: unknown, root: string, path: string): unknown {
  if (!(error instanceof FirError)) return error;
  const rename = (text: string) => text.replaceAll(root, () => path);
  const { code, message, hint, where } = error;
  if (![message, hint, where].some((text) => text?.includes(root) === true)) return error;
  return new FirError(code, rename(message), {
    hint: hint === undefined ? undefined : rename(hint),
    where: where === undefined ? undefined : rename(where),
    cause: error,
  });
}
