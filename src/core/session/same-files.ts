import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { readFully } from '../io/positioned-io.js';
import { entriesOf } from './directory.js';
import { TENSOR_FILE } from './dump-scan.js';
import { statOf } from './safe-path.js';

const CHUNK_BYTES = 1024 * 1024;

/** Whether two directories hold the same tensor files, byte for byte, and at least one. False where one can't be read. */
export function hasSameTensorFiles(one: string, other: string): boolean {
  const sizes = tensorFiles(one);
  const others = tensorFiles(other);
  if (sizes === undefined || others === undefined || sizes.size === 0 || sizes.size !== others.size) {
    return false;
  }
  for (const [name, size] of sizes) if (others.get(name) !== size) return false;
  try {
    for (const [name, size] of sizes) {
      if (!hasSameContent(join(one, name), join(other, name), size)) return false;
    }
    return true;
  } catch {
    return false;
  }
}

/** Sizes by name; undefined where one is no regular file. */
function tensorFiles(path: string): Map<string, number> | undefined {
  const sizes = new Map<string, number>();
  for (const { name } of entriesOf(path)) {
    if (!TENSOR_FILE.test(name)) continue;
    const stats = statOf(join(path, name));
    if (stats?.isFile() !== true) return undefined;
    sizes.set(name, stats.size);
  }
  return sizes;
}

/** The last bytes first: a .pt has the checksums of its tensors there, so that files that differ are seldom read whole. */
function hasSameContent(one: string, other: string, size: number): boolean {
  const descriptors: number[] = [];
  try {
    for (const path of [one, other]) descriptors.push(openSync(path, 'r'));
    for (let end = size; end > 0; end -= CHUNK_BYTES) {
      const begin = Math.max(0, end - CHUNK_BYTES);
      const [left, right] = descriptors.map((fd) => readPart(fd, begin, end - begin));
      if (left === undefined || right === undefined || !left.equals(right)) return false;
    }
    return true;
  } finally {
    for (const fd of descriptors) closeSync(fd);
  }
}

function readPart(fd: number, begin: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  return bytes.subarray(0, readFully(fd, bytes, begin));
}
