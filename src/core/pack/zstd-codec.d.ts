/** The part of the package's WebAssembly module that is used here. */
declare module 'zstd-codec/lib/zstd-codec-binding-wasm.js' {
  type OnBytes = (bytes: Uint8Array) => void;

  interface ZstdStream {
    /** Hands on what can be made of the bytes; those that it hands on are overwritten by the next. False: damaged. */
    transform(bytes: Uint8Array, onBytes: OnBytes): boolean;
    end(onBytes: OnBytes): boolean;
    /** Frees its memory. */
    delete(): void;
  }

  export interface ZstdModule {
    ZstdCompressStreamBinding: new () => ZstdStream & { begin(level: number): boolean };
    ZstdDecompressStreamBinding: new () => ZstdStream & { begin(): boolean };
  }

  export interface ZstdModuleOptions {
    onRuntimeInitialized(): void;
    onAbort(reason: unknown): void;
    print(): void;
    printErr(): void;
  }

  /** Fills the object that it is given, and calls it back once everything stands there. */
  export default function load(module: ZstdModuleOptions): ZstdModuleOptions & ZstdModule;
}
