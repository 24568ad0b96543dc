import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, realpathSync, renameSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { FirError, messageOf } from '../errors.js';

/** A directory that is filled beside its destination and takes its place once it is complete. */
export class Staging {
  /** Where to write. Its name begins with a dot, so that no reader takes it for a session. */
  readonly path: string;
  readonly #destination: string;
  /** The first of the directories above that had to be made. */
  readonly #madeAbove: string | undefined;

  private constructor(path: string, destination: string, madeAbove: string | undefined) {
    this.path = path;
    this.#destination = destination;
    this.#madeAbove = madeAbove;
  }

  /** FirError USAGE where the destination is taken, or inside of the directory `source`; IO_FAILED. */
  static begin(destination: string, source: string): Staging {
    const target = targetOf(destination);
    const parent = dirname(target);
    try {
      const madeAbove = mkdirSync(parent, { recursive: true });
      const realParent = realpathSync(parent);
      if (realParent === source || realParent.startsWith(source.endsWith(sep) ? source : source + sep)) {
        if (madeAbove !== undefined) rmSync(madeAbove, { recursive: true, force: true });
        throw new FirError('USAGE', `${destination} is inside of the session that is read`, {
          where: destination,
          hint: 'name a directory outside of it',
        });
      }
      const path = join(parent, `.${basename(target)}.${randomBytes(6).toString('hex')}.partial`);
      mkdirSync(path, { mode: 0o700 });
      return new Staging(path, target, madeAbove);
    } catch (error) {
      throw failure(error, destination);
    }
  }

  /** FirError USAGE where somebody took the destination meanwhile, IO_FAILED. */
  commit(): void {
    try {
      // Windows puts no directory in the place of another one; an empty one is nothing to lose.
      if (process.platform === 'win32') rmdirIfThere(this.#destination);
      renameSync(this.path, this.#destination);
    } catch (error) {
      if (isTaken(error)) throw taken(this.#destination);
      throw failure(error, this.#destination);
    }
  }

  /** Leaves nothing behind. */
  discard(): void {
    rmSync(this.path, { recursive: true, force: true });
    if (this.#madeAbove !== undefined) removeEmpty(dirname(this.#destination), this.#madeAbove);
  }
}

/** The directory itself where a link was named. FirError USAGE where something is there. */
export function targetOf(destination: string): string {
  const path = resolve(destination);
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return path;
  if (!stats.isDirectory() || readdirSync(path).length > 0) throw taken(destination);
  return realpathSync(path);
}

function taken(path: string): FirError {
  return new FirError('USAGE', `${path} exists and is not an empty directory`, {
    where: path,
    hint: 'name a directory that does not exist yet',
  });
}

function isTaken(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOTEMPTY' || code === 'EEXIST' || code === 'ENOTDIR';
}

function failure(error: unknown, path: string): FirError {
  if (error instanceof FirError) return error;
  return new FirError('IO_FAILED', `${path} can't be written: ${messageOf(error)}`, {
    where: path,
    cause: error,
  });
}

function rmdirIfThere(path: string): void {
  try {
    rmdirSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** Removes the directories from `lowest` up to `highest` that have nothing in them. */
function removeEmpty(lowest: string, highest: string): void {
  try {
    for (let path = lowest; path.length >= highest.length; path = dirname(path)) rmdirSync(path);
  } catch {
    // Somebody else put something there: it stays.
  }
}
