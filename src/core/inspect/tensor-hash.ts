import { createHash } from 'node:crypto';
import type { StoredTensor } from '../session/index.js';

/** SHA-256 of the logical values, contiguous and little-endian; of strings, each after its length as 8 bytes. */
export function hashTensor(tensor: StoredTensor): string {
  return hashChunks(tensor.strings === undefined ? tensor.chunks() : prefixedStrings(tensor.strings()));
}

export function hashChunks(chunks: Iterable<Uint8Array>): string {
  const hash = createHash('sha256');
  for (const chunk of chunks) hash.update(chunk);
  return hash.digest('hex');
}

function* prefixedStrings(strings: readonly string[]): Generator<Uint8Array> {
  for (const text of strings) {
    const bytes = Buffer.from(text, 'utf8');
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(bytes.length));
    yield length;
    yield bytes;
  }
}
