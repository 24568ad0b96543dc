import { Transform, type TransformCallback } from 'node:stream';
import * as zlib from 'node:zlib';
import type { ZstdModule, ZstdModuleOptions } from 'zstd-codec/lib/zstd-codec-binding-wasm.js';

const LEVEL = 3;
/** Parameters of the format's own library. */
const ZSTD_COMPRESSION_LEVEL = 100;
const ZSTD_CHECKSUM_FLAG = 201;

/** What Node has since 22.15. */
interface NativeZstd {
  createZstdCompress(options: { params: Record<number, number> }): Transform;
  createZstdDecompress(): Transform;
}

/** A stream that compresses to one frame, at the level that is the format's default. */
export async function createZstdCompress(): Promise<Transform> {
  const native = nativeZstd();
  if (native !== undefined) {
    return native.createZstdCompress({
      params: { [ZSTD_COMPRESSION_LEVEL]: LEVEL, [ZSTD_CHECKSUM_FLAG]: 1 },
    });
  }
  const { ZstdCompressStreamBinding } = await loadModule();
  const coder = new ZstdCompressStreamBinding();
  coder.begin(LEVEL);
  return new CoderStream(coder);
}

/** A stream that decompresses frame after frame; a window of more than 128 MiB is refused. */
export async function createZstdDecompress(): Promise<Transform> {
  const native = nativeZstd();
  if (native !== undefined) return native.createZstdDecompress();
  const { ZstdDecompressStreamBinding } = await loadModule();
  const coder = new ZstdDecompressStreamBinding();
  coder.begin();
  return new CoderStream(coder);
}

function nativeZstd(): NativeZstd | undefined {
  return 'createZstdCompress' in zlib ? (zlib as unknown as NativeZstd) : undefined;
}

type Coder = Pick<InstanceType<ZstdModule['ZstdCompressStreamBinding']>, 'transform' | 'end' | 'delete'>;

/** The WebAssembly coder as a stream. */
class CoderStream extends Transform {
  readonly #coder: Coder;
  /** Bytes taken in. */
  bytesWritten = 0;

  constructor(coder: Coder) {
    super();
    this.#coder = coder;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.bytesWritten += chunk.length;
    this.#run(done, (push) => this.#coder.transform(chunk, push));
  }

  override _flush(done: TransformCallback): void {
    this.#run(done, (push) => this.#coder.end(push));
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#coder.delete();
    done(error);
  }

  #run(done: TransformCallback, code: (push: (bytes: Uint8Array) => void) => boolean): void {
    try {
      const isFine = code((bytes) => this.push(Buffer.from(bytes)));
      done(isFine ? null : new Error('not valid zstd data'));
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)));
    }
  }
}

let loading: Promise<ZstdModule> | undefined;

function loadModule(): Promise<ZstdModule> {
  loading ??= import('zstd-codec/lib/zstd-codec-binding-wasm.js').then(
    ({ default: load }) =>
      new Promise((resolve, reject) => {
        const module: ZstdModuleOptions & Partial<ZstdModule> = {
          onRuntimeInitialized: () => resolve(module as ZstdModuleOptions & ZstdModule),
          onAbort: (reason) => reject(new Error(`zstd could not be loaded: ${String(reason)}`)),
          print: () => undefined,
          printErr: () => undefined,
        };
        load(module);
      }),
  );
  return loading;
}
