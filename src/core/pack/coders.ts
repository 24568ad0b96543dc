import type { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import * as zlib from 'node:zlib';
import type { Compression } from './compression.js';
import { compressInModule, decompressInModule } from './zstd-module.js';

const ZSTD_LEVEL = 3;
/** Parameters of the format's own library, by number. */
const ZSTD_COMPRESSION_LEVEL = 100;
const ZSTD_CHECKSUM_FLAG = 201;

/** A stream of Node's `zlib`, which counts the bytes that it has used. */
type ZlibStream = Transform & { bytesWritten: number };

/** What Node has since 22.15. */
interface NativeZstd {
  createZstdCompress(options: { params: Record<number, number> }): ZlibStream;
  createZstdDecompress(): ZlibStream;
}

/** Compresses pieces in their order. The same pieces give the same bytes with the same Node. */
export function compress(pieces: AsyncIterable<Buffer>, compression: Compression): AsyncIterable<Buffer> {
  if (compression === 'gzip') return through(pieces, zlib.createGzip());
  const native = nativeZstd();
  if (native === undefined) return compressInModule(pieces, ZSTD_LEVEL);
  const params = { [ZSTD_COMPRESSION_LEVEL]: ZSTD_LEVEL, [ZSTD_CHECKSUM_FLAG]: 1 };
  return through(pieces, native.createZstdCompress({ params }));
}

/**
 * Decompresses pieces, one after the other as they are taken, whatever they claim to hold: memory is bounded by a
 * window of 128 MiB, or of 8 MiB with a Node before 22.15. Throws where they are damaged, cut short (which zstd does not always tell) or go on as something else.
 */
export function decompress(pieces: AsyncIterable<Buffer>, compression: Compression): AsyncIterable<Buffer> {
  if (compression === 'gzip') return wholly(pieces, zlib.createGunzip());
  const native = nativeZstd();
  return native === undefined ? decompressInModule(pieces) : wholly(pieces, native.createZstdDecompress());
}

function nativeZstd(): NativeZstd | undefined {
  return 'createZstdCompress' in zlib ? (zlib as unknown as NativeZstd) : undefined;
}

/** A decompressor ends quietly before what is not its own. */
async function* wholly(pieces: AsyncIterable<Buffer>, stream: ZlibStream): AsyncGenerator<Buffer> {
  let given = 0;
  async function* counted(): AsyncGenerator<Buffer> {
    for await (const piece of pieces) {
      given += piece.length;
      yield piece;
    }
  }
  yield* through(counted(), stream);
  if (stream.bytesWritten !== given) throw new Error('something else follows the compressed data');
}

async function* through(pieces: AsyncIterable<Buffer>, stream: Transform): AsyncGenerator<Buffer> {
  const fed = pipeline(pieces, stream);
  // What fails comes out of the stream, too.
  fed.catch(() => undefined);
  for await (const chunk of stream) yield chunk;
  await fed;
}
