import type { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import * as zlib from 'node:zlib';
import type { Compression } from './compression.js';
import { compressInModule, decompressInModule } from './zstd-module.js';

const ZSTD_LEVEL = 3;
/** Parameters of the format's own library, by number. */
const ZSTD_COMPRESSION_LEVEL = 100;
const ZSTD_CHECKSUM_FLAG = 201;

/** What Node has since 22.15. */
interface NativeZstd {
  createZstdCompress(options: { params: Record<number, number> }): Transform;
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
 * Decompresses pieces, one after the other as they are taken, whatever they claim to hold: what comes of a piece is
 * bounded. Throws where they are damaged, cut short (which zstd does not always tell) or go on as something else.
 */
export function decompress(pieces: AsyncIterable<Buffer>, compression: Compression): AsyncIterable<Buffer> {
  // Node's own zstd ends some streams early up to version 24, and a hostile one is better off in WebAssembly.
  return compression === 'gzip' ? gunzip(pieces) : decompressInModule(pieces);
}

function nativeZstd(): NativeZstd | undefined {
  return 'createZstdCompress' in zlib ? (zlib as unknown as NativeZstd) : undefined;
}

/** The decompressor ends quietly before what is not its own. */
async function* gunzip(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let given = 0;
  async function* counted(): AsyncGenerator<Buffer> {
    for await (const piece of pieces) {
      given += piece.length;
      yield piece;
    }
  }
  const stream = zlib.createGunzip();
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
