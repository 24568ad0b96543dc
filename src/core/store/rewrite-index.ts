import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  openSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { FirError } from '../errors.js';
import { readFully, writeFully } from '../io/positioned-io.js';
import type { IndexFile, IndexLines } from './index-lines.js';

const PIECE_BYTES = 1024 * 1024;

export interface IndexChanges {
  /** By the number of the dump that a line is about, NO_RECORD or NO_CALL. */
  isKept(owner: number): boolean;
  /** The text of a kept line, without its newline, that is to stand in its place; undefined: as it is. */
  rewrite(owner: number, text: string): string | undefined;
  /** Whether `rewrite` has anything to do for lines of the dump. */
  isRewritten(owner: number): boolean;
}

/**
 * Takes lines out of an index file. The new file is written beside the old one and takes its place by one rename: there is
 * always a whole one. What is kept keeps its bytes and its order. FirError SESSION_IN_USE where somebody changed the file
 * since its lines were read: then it stays as it is.
 */
export function rewriteIndex(lines: IndexLines, file: IndexFile, changes: IndexChanges): void {
  if (!hasChanges(lines, file, changes)) return;
  const beside = `${file.path}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`;
  const from = openSync(file.path, 'r');
  try {
    const to = openSync(beside, 'wx', 0o600);
    try {
      // One at a time: a writer of many gathers them.
      for (const piece of keptPieces(from, lines, file, changes)) writeFully(to, [piece]);
      keepOwner(from, to);
      fsyncSync(to);
    } finally {
      closeSync(to);
    }
    checkUnchanged(file);
    renameSync(beside, file.path);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  } finally {
    closeSync(from);
  }
}

function hasChanges({ owner }: IndexLines, { begin, end }: IndexFile, changes: IndexChanges): boolean {
  for (let line = begin; line < end; line++) {
    const own = owner[line] ?? 0;
    if (!changes.isKept(own) || changes.isRewritten(own)) return true;
  }
  return false;
}

function* keptPieces(
  fd: number,
  lines: IndexLines,
  { begin, end, path }: IndexFile,
  changes: IndexChanges,
): Generator<Uint8Array> {
  let runBegin = 0;
  let runEnd = 0;
  for (let line = begin; line < end; line++) {
    const owner = lines.owner[line] ?? 0;
    if (!changes.isKept(owner)) continue;
    const offset = lines.offset[line] ?? 0;
    const length = lines.length[line] ?? 0;
    if (changes.isRewritten(owner)) {
      yield* rangeOf(fd, runBegin, runEnd, path);
      runBegin = runEnd;
      yield rewritten(Buffer.concat([...rangeOf(fd, offset, offset + length, path)]), owner, changes);
      continue;
    }
    if (offset !== runEnd || runBegin === runEnd) {
      yield* rangeOf(fd, runBegin, runEnd, path);
      runBegin = offset;
    }
    runEnd = offset + length;
  }
  yield* rangeOf(fd, runBegin, runEnd, path);
}

function rewritten(bytes: Buffer, owner: number, changes: IndexChanges): Uint8Array {
  const isTerminated = bytes.at(-1) === 0x0a;
  const text = bytes.toString('utf8', 0, bytes.length - (isTerminated ? 1 : 0));
  const changed = changes.rewrite(owner, text);
  return changed === undefined ? bytes : Buffer.from(isTerminated ? `${changed}\n` : changed);
}

function* rangeOf(fd: number, begin: number, end: number, path: string): Generator<Uint8Array> {
  for (let at = begin; at < end; at += PIECE_BYTES) {
    const piece = Buffer.allocUnsafe(Math.min(PIECE_BYTES, end - at));
    if (readFully(fd, piece, at) < piece.length) throw changedError(path);
    yield piece;
  }
}

/** Whoever could read and append to the file still can. */
function keepOwner(from: number, to: number): void {
  const { mode, uid, gid } = fstatSync(from);
  try {
    fchownSync(to, uid, gid);
  } catch {
    // Only a privileged user can, and only such a one is not the owner already.
  }
  fchmodSync(to, mode & 0o777);
}

function checkUnchanged({ path, dev, ino, size }: IndexFile): void {
  const stats = lstatSync(path);
  if (stats.dev !== dev || stats.ino !== ino || stats.size !== size) throw changedError(path);
}

function changedError(path: string): FirError {
  return new FirError('SESSION_IN_USE', 'the index changed while it was read: somebody records into it', {
    where: path,
    hint: 'wait until the recorded program has ended',
  });
}
