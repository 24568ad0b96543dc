import type { TensorSource } from '../core/model/tensor.js';
import { type BlobStore, sha256Of } from './blob-store.js';

/** Below this size a hash costs no more than a look into a file. */
const WORTH_COMPARING = 64 * 1024;
/** Places in one memory of which it is remembered what they held. */
const MAX_PLACES = 64;

/**
 * Hashes what tensors hold. Memory that was hashed before is compared with the content of that name first, byte for byte,
 * which costs a sixth of a hash; what was changed in place is found at the first difference.
 */
export class ContentHashes {
  readonly #store: BlobStore;
  readonly #held = new WeakMap<object, Map<number, string>>();

  constructor(store: BlobStore) {
    this.#store = store;
  }

  /** `bytes`: the logical values. */
  sha256Of({ storage, byteOffset }: TensorSource, bytes: Uint8Array): string {
    if (bytes.length < WORTH_COMPARING) return sha256Of(bytes);
    const places = this.#held.get(storage);
    const before = places?.get(byteOffset);
    if (before !== undefined && this.#store.holds(before, bytes)) return before;
    const sha256 = sha256Of(bytes);
    if (places === undefined) this.#held.set(storage, new Map([[byteOffset, sha256]]));
    else {
      if (places.size >= MAX_PLACES && before === undefined) places.clear();
      places.set(byteOffset, sha256);
    }
    return sha256;
  }
}
