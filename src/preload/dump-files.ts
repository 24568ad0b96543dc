import { closeSync, mkdirSync, openSync, renameSync, writeSync, writevSync } from 'node:fs';
import type { TensorGroup } from './tensor-group.js';

/** Linux writes at most 2 GiB less a page at once. */
const MAX_WRITE_BYTES = 1 << 30;

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

/** Writes a tensor file beside its place and renames it, so that a file with its name is always whole. */
export function writeGroupFile(dump: string, group: TensorGroup): void {
  const path = `${dump}/${group.file}`;
  const beside = `${path}.tmp`;
  const fd = openSync(beside, 'wx', 0o600);
  try {
    writeAll(fd, group.pieces);
  } finally {
    closeSync(fd);
  }
  renameSync(beside, path);
}

/** Writes a small file whole or not at all. */
export function writeFileBeside(path: string, text: string, tag: string): void {
  const beside = `${path}.${tag}.tmp`;
  const fd = openSync(beside, 'w', 0o600);
  try {
    writeAll(fd, [Buffer.from(text, 'utf8')]);
  } finally {
    closeSync(fd);
  }
  renameSync(beside, path);
}

export function writeAll(fd: number, pieces: readonly Uint8Array[]): void {
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
