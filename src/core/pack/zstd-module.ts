import type { ZstdModule, ZstdModuleOptions } from 'zstd-codec/lib/zstd-codec-binding-wasm.js';

/** What is compressed at a time. The module has 16 MiB of memory, which never grow. */
const INPUT_BYTES = 64 * 1024;
/**
 * Of compressed bytes four may stand for 128 KiB, and all that comes of a piece is handed on before the next one:
 * a piece of this size gives 64 MiB at most.
 */
const COMPRESSED_BYTES = 2048;

/** Compresses pieces to one frame, without a checksum, in WebAssembly. */
export async function* compressInModule(
  pieces: AsyncIterable<Buffer>,
  level: number,
): AsyncGenerator<Buffer> {
  const { ZstdCompressStreamBinding } = await loadModule();
  const coder = new ZstdCompressStreamBinding();
  yield* code(coder, () => coder.begin(level), pieces, INPUT_BYTES);
}

/** Decompresses frame after frame in WebAssembly. Throws where they are damaged, or want a window of more than 8 MiB. */
export async function* decompressInModule(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const { ZstdDecompressStreamBinding } = await loadModule();
  const coder = new ZstdDecompressStreamBinding();
  yield* code(coder, () => coder.begin(), pieces, COMPRESSED_BYTES);
}

type Coder = Pick<InstanceType<ZstdModule['ZstdDecompressStreamBinding']>, 'transform' | 'end' | 'delete'>;

async function* code(
  coder: Coder,
  begin: () => boolean,
  pieces: AsyncIterable<Buffer>,
  pieceBytes: number,
): AsyncGenerator<Buffer> {
  let output: Buffer[] = [];
  const onBytes = (bytes: Uint8Array) => output.push(Buffer.from(bytes));
  const take = (): Buffer[] => {
    const taken = output;
    output = [];
    return taken;
  };
  try {
    check(begin);
    for await (const piece of pieces) {
      for (let at = 0; at < piece.length; at += pieceBytes) {
        check(() => coder.transform(piece.subarray(at, at + pieceBytes), onBytes));
        yield* take();
      }
    }
    check(() => coder.end(onBytes));
    yield* take();
  } finally {
    // A module that broke off is not to be used any more.
    if (loading !== undefined) coder.delete();
  }
}

function check(run: () => boolean): void {
  let isFine: boolean;
  try {
    isFine = run();
  } catch {
    loading = undefined;
    throw new Error('it wants a window of more than 8 MiB: compress it again without --long and --ultra');
  }
  if (!isFine) throw new Error('not valid zstd data');
}

/** The module, once it is wanted; its memory is its own, whatever it is fed. */
let loading: Promise<ZstdModule> | undefined;

function loadModule(): Promise<ZstdModule> {
  loading ??= import('zstd-codec/lib/zstd-codec-binding-wasm.js').then(
    ({ default: load }) =>
      new Promise((resolve, reject) => {
        const module: ZstdModuleOptions & Partial<ZstdModule> = {
          onRuntimeInitialized() {
            const { ZstdCompressStreamBinding, ZstdDecompressStreamBinding } = module;
            if (ZstdCompressStreamBinding === undefined || ZstdDecompressStreamBinding === undefined) {
              reject(new Error('the zstd module lacks its streams'));
            } else resolve({ ZstdCompressStreamBinding, ZstdDecompressStreamBinding });
          },
          onAbort: (reason) => reject(new Error(`the zstd module could not be loaded: ${String(reason)}`)),
          print: () => undefined,
          printErr: () => undefined,
        };
        load(module);
      }),
  );
  return loading;
}
