import { closeSync, mkdirSync, openSync, renameSync, rmSync, writeSync, writevSync } from 'node:fs';

/** Linux writes at most 2 GiB less a page at once. */
const MAX_WRITE_BYTES = 1 << 30;

/** No separator in it, and nothing that a shell or a terminal takes amiss. */
export function dumpNameFrom(functionName: string, callSequence: number, timestamp: string): string {
  const name = functionName.replaceAll(/[^A-Za-z0-9._-]/g, '_').slice(0, 120) || '_';
  return `${timestamp}_pid${process.pid}_${name}_call${String(callSequence).padStart(4, '0')}`;
}

/** Makes a dump directory that nobody else has; a taken name gets a suffix. Returns the name. */
export function makeDumpDirectory(root: string, wanted: string): string {
  for (let attempt = 0; ; attempt += 1) {
    const name = attempt === 0 ? wanted : `${wanted}_${attempt + 1}`;
    try {
      mkdirSync(`${root}/${name}`, { mode: 0o700 });
      return name;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || attempt > 10_000) throw error;
    }
  }
}

/** Writes a file beside its place and renames it, so that a file with its name is always whole. `tag` names the writer. */
export function writeBeside(path: string, tag: string, pieces: readonly Uint8Array[]): void {
  const beside = `${path}.${tag}.tmp`;
  try {
    const fd = openSync(beside, 'w', 0o600);
    try {
      writeAll(fd, pieces);
    } finally {
      closeSync(fd);
    }
    renameSync(beside, path);
  } catch (error) {
    removeIfPossible(beside);
    throw error;
  }
}

/** What was begun and can't be finished only takes up room. */
export function removeIfPossible(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    // It stays; whoever reads the session passes over it.
  }
}

function writeAll(fd: number, pieces: readonly Uint8Array[]): void {
  const [only] = pieces;
  if (only !== undefined && pieces.length === 1 && only.length <= MAX_WRITE_BYTES) {
    let written = writeSync(fd, only);
    while (written < only.length) written += writeSync(fd, only, written);
    return;
  }
  let queue = pieces.flatMap(splitPiece);
  while (queue.length > 0) {
    const batch = takeBatch(queue);
    let written = writevSync(fd, batch);
    let index = 0;
    while (index < batch.length && written >= (batch[index]?.length ?? 0)) {
      written -= batch[index]?.length ?? 0;
      index += 1;
    }
    queue = queue.slice(index);
    const [first] = queue;
    if (first !== undefined && written > 0) queue[0] = first.subarray(written);
  }
}

function splitPiece(piece: Uint8Array): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < piece.length; at += MAX_WRITE_BYTES) {
    parts.push(piece.subarray(at, at + MAX_WRITE_BYTES));
  }
  return parts;
}

function takeBatch(queue: readonly Uint8Array[]): Uint8Array[] {
  const batch: Uint8Array[] = [];
  let bytes = 0;
  for (const piece of queue) {
    if (batch.length > 0 && (bytes + piece.length > MAX_WRITE_BYTES || batch.length === 512)) break;
    batch.push(piece);
    bytes += piece.length;
  }
  return batch;
}
