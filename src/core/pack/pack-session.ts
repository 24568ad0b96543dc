import { closeSync, constants, fstatSync, openSync, realpathSync, renameSync, statSync } from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';
import { FirError, messageOf } from '../errors.js';
import { readFully, writeFully } from '../io/positioned-io.js';
import { Turns } from '../io/turns.js';
import { compress } from './coders.js';
import type { Compression } from './compression.js';
import { packTarget } from './pack-target.js';
import { type SessionEntry, sessionEntries } from './session-files.js';
import { tarEnd, tarHeader, tarPadding } from './tar-headers.js';
import { TemporaryDirectory } from './temporary-directory.js';

/** Directory in the pack, so that unpacking by hand makes one directory, whatever the pack is called. */
const TOP = 'session';
const READ_BYTES = 256 * 1024;
const TYPES = { file: 'File', directory: 'Directory', link: 'Link' } as const;

/** A pack that is to be written. Nothing of it is to be seen before it is whole. */
export class PackFile {
  /** As it was named. */
  readonly #path: string;
  readonly #compression: Compression;
  readonly #place: TemporaryDirectory;

  private constructor(path: string, compression: Compression, place: TemporaryDirectory) {
    this.#path = path;
    this.#compression = compression;
    this.#place = place;
  }

  /**
   * Makes sure that a pack can be written to `path`. `source` is the directory, without symbolic links, of the session
   * that is read. FirError USAGE where its name is none of a pack, or is taken, or inside of `source`; IO_FAILED.
   */
  static begin(path: string, source: string): PackFile {
    const { compression, target } = packTarget(path);
    try {
      const parent = realpathSync(dirname(target));
      if (`${parent}${sep}`.startsWith(`${source}${sep}`)) {
        throw new FirError('USAGE', `${path} is inside of the session that is read`, {
          where: path,
          hint: 'name a file outside of it',
        });
      }
      const place = new TemporaryDirectory(parent, `.${basename(target)}`);
      return new PackFile(path, compression, place);
    } catch (error) {
      throw packError(error, path);
    }
  }

  /** Where a session may be made that is there for the pack alone: it does not exist, and is gone after `discard`. */
  get scratch(): string {
    return join(this.#place.path, TOP);
  }

  /**
   * Packs the session in a directory, in constant memory: the same session gives the same bytes with the same Node.
   * Gives the pack's bytes. FirError USAGE, IO_FAILED, INTERRUPTED.
   */
  async write(session: string, signal?: AbortSignal): Promise<number> {
    const unfinished = join(this.#place.path, 'pack');
    try {
      const fd = openSync(unfinished, 'wx', 0o600);
      try {
        for await (const piece of compress(
          gathered(archiveOf(session, new Turns(signal))),
          this.#compression,
        )) {
          writeFully(fd, [piece]);
        }
      } finally {
        closeSync(fd);
      }
      signal?.throwIfAborted();
      const { size } = statSync(unfinished);
      renameSync(unfinished, packTarget(this.#path).target);
      return size;
    } catch (error) {
      if (signal?.aborted === true)
        throw new FirError('INTERRUPTED', 'the packing was interrupted', { cause: error });
      throw packError(error, this.#path);
    }
  }

  /** Leaves nothing but the pack, where it was written. */
  discard(): void {
    this.#place.remove();
  }
}

/** The same bytes in larger pieces: a header at a time, a stream takes longer than what it does. */
async function* gathered(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let waiting: Buffer[] = [];
  let bytes = 0;
  for await (const piece of pieces) {
    waiting.push(piece);
    bytes += piece.length;
    if (bytes < READ_BYTES) continue;
    yield Buffer.concat(waiting);
    waiting = [];
    bytes = 0;
  }
  yield Buffer.concat(waiting);
}

async function* archiveOf(session: string, turns: Turns): AsyncGenerator<Buffer> {
  yield tarHeader({ type: 'Directory', path: `${TOP}/`, bytes: 0 });
  for (const entry of sessionEntries(session)) {
    yield tarHeader(writtenEntry(entry));
    if (entry.kind === 'file') yield* contentOf(join(session, entry.path), entry.bytes, turns);
    await turns.take();
  }
  yield tarEnd();
}

function writtenEntry({ kind, path, bytes, target }: SessionEntry) {
  return {
    type: TYPES[kind],
    path: `${TOP}/${path}${kind === 'directory' ? '/' : ''}`,
    bytes,
    ...(target === undefined ? {} : { target: `${TOP}/${target}` }),
  };
}

async function* contentOf(path: string, bytes: number, turns: Turns): AsyncGenerator<Buffer> {
  const fd = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
  try {
    const isThere = fstatSync(fd).isFile();
    for (let at = 0; at < bytes; ) {
      const piece = Buffer.allocUnsafe(Math.min(READ_BYTES, bytes - at));
      if (!isThere || readFully(fd, piece, at) < piece.length) {
        throw new FirError('IO_FAILED', `${path} changed while it was packed`, { where: path });
      }
      yield piece;
      at += piece.length;
      await turns.take();
    }
  } finally {
    closeSync(fd);
  }
  yield tarPadding(bytes);
}

function packError(error: unknown, path: string): unknown {
  if (error instanceof FirError || (error as NodeJS.ErrnoException).syscall === undefined) return error;
  return new FirError('IO_FAILED', `${path} can't be written: ${messageOf(error)}`, {
    where: path,
    cause: error,
  });
}
