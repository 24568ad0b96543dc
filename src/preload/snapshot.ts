import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TensorSource } from '../core/model/tensor.js';
import { gatherContiguous } from '../core/tensor/index.js';
import { logicalData, type SavedRange } from '../core/tensor-files/tensor-data.js';
import { holdOf } from './blob-store.js';
import type { TensorGroup } from './tensor-group.js';

const CHUNK_BYTES = 1 << 20;

/** What the checked arguments of a call held before it. */
export interface ArgumentSnapshot {
  /** Keys of the checked arguments whose values differ from what they were; not of those whose memory is gone. */
  changedKeys(): string[];
  source(key: string): TensorSource | undefined;
}

/**
 * What the checked arguments held when they were saved. Small groups keep the bytes that were written; large ones
 * are compared with the file itself, chunk by chunk, so that no tensor is held twice.
 */
export class Snapshot implements ArgumentSnapshot {
  readonly #group: TensorGroup;
  readonly #dump: string;
  readonly #checked: Map<string, TensorSource>;

  constructor(group: TensorGroup, dump: string, checked: Map<string, TensorSource>) {
    this.#group = group;
    this.#dump = dump;
    this.#checked = checked;
  }

  /** Keys of the checked arguments whose values differ from what was saved; not of those whose memory is gone. */
  changedKeys(): string[] {
    const changed: string[] = [];
    const { copy, file, positions, blobs } = this.#group;
    const saved = new SavedBytes(copy, `${this.#dump}/${file}`);
    try {
      for (const [key, source] of this.#checked) {
        if (isGone(source)) continue;
        const position = positions.get(key);
        const sha256 = blobs.get(key);
        if (position !== undefined) {
          if (differs(saved, position, source)) changed.push(key);
        } else if (sha256 !== undefined && this.#differsFromContent(sha256, source)) changed.push(key);
      }
    } finally {
      saved.close();
    }
    return changed;
  }

  source(key: string): TensorSource | undefined {
    return this.#checked.get(key);
  }

  #differsFromContent(sha256: string, source: TensorSource): boolean {
    const hold = holdOf(this.#dump, sha256);
    const shared = join(dirname(this.#dump), 'blobs', sha256);
    const saved = new SavedBytes(undefined, existsSync(hold) ? hold : shared);
    try {
      return saved.differFrom(logicalData(source), 0);
    } finally {
      saved.close();
    }
  }
}

/** Whether a tensor's memory was transferred away, or its buffer shrunk, since it was described. */
export function isGone({ strings, shape, bytes }: TensorSource): boolean {
  return strings === undefined && bytes.length === 0 && shape.every((size) => size > 0);
}

function differs(saved: SavedBytes, position: SavedRange, source: TensorSource): boolean {
  if (!position.isRaw) return saved.differFrom(logicalData(source), position.begin);
  if (!saved.differFrom(source.bytes, position.begin)) return false;
  // What changed may lie between the elements of the view, where it is not the view's.
  const then = ownElements(source, saved.read(position));
  return Buffer.compare(then, ownElements(source, source.bytes)) !== 0;
}

/** The elements of a view; those that it repeats, once. */
export function ownElements({ dtype, shape, stride }: TensorSource, bytes: Uint8Array): Uint8Array {
  const once = shape.map((size, dim) => (stride[dim] === 0 ? Math.min(size, 1) : size));
  return gatherContiguous(bytes, { dtype, shape: once, stride, offset: 0 });
}

/** A file as it was written: its bytes where they were kept, else the file itself. */
class SavedBytes {
  readonly #copy: Buffer | undefined;
  readonly #path: string;
  #fd: number | undefined;

  constructor(copy: Buffer | undefined, path: string) {
    this.#copy = copy;
    this.#path = path;
  }

  differFrom(now: Uint8Array, begin: number): boolean {
    if (this.#copy !== undefined) return this.#copy.subarray(begin, begin + now.length).compare(now) !== 0;
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, now.length));
    for (let at = 0; at < now.length; ) {
      const wanted = Math.min(chunk.length, now.length - at);
      const got = this.#fill(chunk, wanted, begin + at);
      if (got === 0) return true;
      if (chunk.compare(now, at, at + got, 0, got) !== 0) return true;
      at += got;
    }
    return false;
  }

  read({ begin, length }: SavedRange): Uint8Array {
    if (this.#copy !== undefined) return this.#copy.subarray(begin, begin + length);
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; ) {
      const got = this.#fill(bytes.subarray(at), Math.min(CHUNK_BYTES, length - at), begin + at);
      if (got === 0) break;
      at += got;
    }
    return bytes;
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
  }

  #fill(into: Uint8Array, wanted: number, position: number): number {
    this.#fd ??= openSync(this.#path, 'r');
    return readSync(this.#fd, into, 0, wanted, position);
  }
}
