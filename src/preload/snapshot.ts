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

  /** Keys of the checked arguments whose values differ from what was saved. */
  changedKeys(): string[] {
    const changed: string[] = [];
    let fd: number | undefined;
    try {
      for (const [key, source] of this.#checked) {
        const position = this.#group.positions.get(key);
        if (position === undefined) continue;
        const now = position.isRaw ? source.bytes : currentBytes(source);
        // A detached or shrunk buffer holds nothing of what was saved.
        if (now.length !== position.length) continue;
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

/** The tensor's logical bytes as they are now, also after its ArrayBuffer was transferred away. */
function currentBytes(source: TensorSource): Uint8Array {
  const held = source.bytes.buffer as ArrayBuffer & { detached?: boolean };
  if (held.byteLength === 0 && source.bytes.length === 0) return source.bytes;
  return logicalData(source);
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
