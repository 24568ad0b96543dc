import { readSync, writevSync } from 'node:fs';

/** One system call moves less than 2^31 bytes, and Node takes no longer length. */
const MAX_CALL_BYTES = 2 ** 30;
/** One call takes at most this many pieces (IOV_MAX). */
const MAX_CALL_PIECES = 1024;

/** Fills `into` from `position` of the file on. Returns the bytes read: fewer where the file ends before. */
export function readFully(fd: number, into: Uint8Array, position: number): number {
  let done = 0;
  while (done < into.byteLength) {
    const length = Math.min(into.byteLength - done, MAX_CALL_BYTES);
    const read = readSync(fd, into, done, length, position + done);
    if (read === 0) break;
    done += read;
  }
  return done;
}

/** Writes all pieces one after the other at the file's position. */
export function writeFully(fd: number, pieces: Iterable<Uint8Array>): void {
  let batch: Uint8Array[] = [];
  let batchBytes = 0;
  for (const piece of cutPieces(pieces)) {
    if (batch.length === MAX_CALL_PIECES || batchBytes + piece.byteLength > MAX_CALL_BYTES) {
      writeBatch(fd, batch);
      batch = [];
      batchBytes = 0;
    }
    batch.push(piece);
    batchBytes += piece.byteLength;
  }
  if (batch.length > 0) writeBatch(fd, batch);
}

function* cutPieces(pieces: Iterable<Uint8Array>): Generator<Uint8Array> {
  for (const piece of pieces) {
    for (let at = 0; at < piece.byteLength; at += MAX_CALL_BYTES)
      yield piece.subarray(at, at + MAX_CALL_BYTES);
  }
}

/** A call may write less than it was given, and end inside a piece. */
function writeBatch(fd: number, batch: readonly Uint8Array[]): void {
  let waiting = [...batch];
  while (waiting.length > 0) {
    let written = writevSync(fd, waiting);
    waiting = waiting.flatMap((piece) => {
      const skipped = Math.min(written, piece.byteLength);
      written -= skipped;
      return skipped === piece.byteLength ? [] : [piece.subarray(skipped)];
    });
  }
}
