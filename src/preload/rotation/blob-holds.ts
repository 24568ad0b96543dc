import type { BlobStore } from '../blob-store.js';

/** A dump's hold on content. */
export const HOLD = /^([0-9a-f]{64})\.blob$/;
const RECHECK_MS = 1000;

/** Content under `blobs/` that this thread answers for: it wrote it, or the thread that did has ended. */
export class BlobHolds {
  bytes = 0;
  readonly #store: BlobStore;
  readonly #own = new Map<string, number>();
  #checkedAt = 0;

  constructor(store: BlobStore) {
    this.#store = store;
  }

  /** Gives the bytes that were not counted here before. */
  add(sha256: string, bytes: number): number {
    if (this.#own.has(sha256)) return 0;
    this.#own.set(sha256, bytes);
    this.bytes += bytes;
    return bytes;
  }

  /**
   * A dump that held the content is gone. `takesOver`: what others still need is counted here from now on. Gives the bytes
   * that another thread which answered for them has no longer to count.
   */
  release(sha256s: readonly string[], takesOver: boolean): number {
    let bytes = 0;
    for (const sha256 of sha256s) {
      const before = this.#store.sizeOf(sha256) ?? 0;
      this.#store.release(sha256);
      const size = this.#store.sizeOf(sha256);
      if (size !== undefined) bytes += takesOver ? this.add(sha256, size) : 0;
      else if (!this.#forget(sha256)) bytes += before;
    }
    return bytes;
  }

  /** Other processes remove content, too. */
  recheck(): void {
    const now = Date.now();
    if (this.#own.size === 0 || now - this.#checkedAt < RECHECK_MS) return;
    this.#checkedAt = now;
    for (const sha256 of this.#own.keys()) {
      if (this.#store.sizeOf(sha256) === undefined) this.#forget(sha256);
    }
  }

  #forget(sha256: string): boolean {
    this.bytes -= this.#own.get(sha256) ?? 0;
    return this.#own.delete(sha256);
  }
}
