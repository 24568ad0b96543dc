import { closeSync, openSync, readSync } from 'node:fs';
import type { TensorSource } from '../core/model/tensor.js';
import { logicalData, type TensorGroup } from './tensor-group.js';

const CHUNK_BYTES = 1 << 20;

/**
 * What the checked arguments held when they were saved. Small groups keep the bytes that were written; large ones
 * are compared with the file itself, chunk by chunk, so that no tensor is held twice.
 */
export class Snapshot {
  readonly #group: TensorGroup;
  readonly #path: string;
  readonly #checked: Map<string, TensorSource>;

  constructor(group: TensorGroup, path: string, checked: Map<string, TensorSource>) {
    this.#group = group;
    this.#path = path;
    this.#checked = checked;
  }

  /** Keys of the checked arguments whose values differ from what was saved; not of those whose memory is gone. */
  changedKeys(): string[] {
    const changed: string[] = [];
    let fd: number | undefined;
    try {
      for (const [key, source] of this.#checked) {
        const position = this.#group.positions.get(key);
        if (position === undefined || isGone(source)) continue;
        const now = position.isRaw ? source.bytes : logicalData(source);
        if (this.#group.copy !== undefined) {
          const saved = this.#group.copy.subarray(position.begin, position.begin + position.length);
          if (saved.compare(now) !== 0) changed.push(key);
        } else {
          fd ??= openSync(this.#path, 'r');
          if (differsFromFile(fd, position.begin, now)) changed.push(key);
        }
      }
    } finally {
      if (fd !== undefined) closeSync(fd);
    }
    return changed;
  }

  source(key: string): TensorSource | undefined {
    return this.#checked.get(key);
  }
}

/** Whether a tensor's memory was transferred away, or its buffer shrunk, since it was described. */
export function isGone({ strings, shape, bytes }: TensorSource): boolean {
  return strings === undefined && bytes.length === 0 && shape.every((size) => size > 0);
}

function differsFromFile(fd: number, begin: number, now: Uint8Array): boolean {
  const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, now.length));
  for (let at = 0; at < now.length; ) {
    const wanted = Math.min(chunk.length, now.length - at);
    const got = readSync(fd, chunk, 0, wanted, begin + at);
    if (got === 0) return true;
    if (chunk.compare(now, at, at + got, 0, got) !== 0) return true;
    at += got;
  }
  return false;
}
