import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { FirError } from '../errors.js';
import type { SafetensorsFile } from '../safetensors/index.js';

/** Where the bytes of a tensor come from. Everything that can be checked without reading them was checked. */
export interface ValueSource {
  readonly byteLength: number;
  read(): Uint8Array;
  chunks(chunkBytes: number): Iterable<Uint8Array>;
  /** For a storage that was saved once for all its views. */
  readonly range?: { byteOffset: number; read(): Uint8Array };
  /** Where the memory that the tensor is a view of stands in a file as it was. */
  readonly place?: FileRange;
  readPlace?(): Uint8Array;
  /** Holds the values against a checksum where the format has one: all of them, or those for which it costs little. */
  checkValues?(isWhole: boolean): void;
}

/** Memory of a recorded program in a file: byte `begin` of the file is byte `storageBegin` of the storage. */
export interface FileRange {
  path: string;
  begin: number;
  end: number;
  storageBegin: number;
}

/** An entry of a tensor file, as it stands there. */
export function sourceFromEntry(file: SafetensorsFile, key: string, byteLength: number): ValueSource {
  return {
    byteLength,
    read: () => file.read(key),
    chunks: (chunkBytes) => file.chunks(key, chunkBytes),
  };
}

/** A file of raw bytes under `blobs/`, whose content has to give its name. `byteLength` is the file's size. */
export function sourceFromBlob(path: string, sha256: string, byteLength: number): ValueSource {
  return {
    byteLength,
    read() {
      const bytes = allocate(byteLength, path);
      let position = 0;
      for (const chunk of blobChunks(path, sha256, byteLength, DEFAULT_CHUNK_BYTES)) {
        bytes.set(chunk, position);
        position += chunk.length;
      }
      return bytes;
    },
    chunks: (chunkBytes) => blobChunks(path, sha256, byteLength, chunkBytes),
    checkValues(isWhole) {
      if (!isWhole && byteLength > CHEAP_CHECK_BYTES) return;
      for (const _ of blobChunks(path, sha256, byteLength, DEFAULT_CHUNK_BYTES));
    },
  };
}

export const DEFAULT_CHUNK_BYTES = 1024 * 1024;
/** To hash so much costs no more than opening a few files. */
const CHEAP_CHECK_BYTES = 1024 * 1024;

function allocate(byteLength: number, path: string): Buffer {
  try {
    return Buffer.allocUnsafeSlow(byteLength);
  } catch (cause) {
    throw new FirError('TOO_LARGE', `${byteLength} bytes do not fit into memory at once`, {
      where: path,
      cause,
    });
  }
}

function* blobChunks(
  path: string,
  sha256: string,
  byteLength: number,
  chunkBytes: number,
): Generator<Uint8Array> {
  const hash = createHash('sha256');
  const fd = openSync(path, 'r');
  try {
    for (let position = 0; position < byteLength; ) {
      const chunk = Buffer.allocUnsafeSlow(Math.min(chunkBytes, byteLength - position));
      let filled = 0;
      while (filled < chunk.length) {
        const count = readSync(fd, chunk, filled, chunk.length - filled, position + filled);
        if (count === 0)
          throw new FirError('TENSOR_DATA_MISSING', 'the blob ended while it was read', { where: path });
        filled += count;
      }
      position += filled;
      hash.update(chunk);
      yield chunk;
    }
  } finally {
    closeSync(fd);
  }
  if (hash.digest('hex') !== sha256) {
    throw new FirError('TENSOR_INVALID', 'the content of the blob is not what its name says', {
      where: path,
    });
  }
}
