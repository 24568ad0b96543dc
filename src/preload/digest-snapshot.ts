import { createHash } from 'node:crypto';
import type { TensorSource } from '../core/model/tensor.js';
import { stillBytes } from '../core/tensor-files/tensor-data.js';
import { type ArgumentSnapshot, isGone, ownElements } from './snapshot.js';

/** What the checked arguments held, as a hash of each: for calls whose values are nowhere to be kept. */
export class DigestSnapshot implements ArgumentSnapshot {
  readonly #checked: ReadonlyMap<string, TensorSource>;
  readonly #digests = new Map<string, string>();

  constructor(checked: ReadonlyMap<string, TensorSource>) {
    this.#checked = checked;
    for (const [key, source] of checked) this.#digests.set(key, digestOf(source));
  }

  changedKeys(): string[] {
    const changed: string[] = [];
    for (const [key, source] of this.#checked) {
      if (!isGone(source) && digestOf(source) !== this.#digests.get(key)) changed.push(key);
    }
    return changed;
  }

  source(key: string): TensorSource | undefined {
    return this.#checked.get(key);
  }
}

/** Of the elements, however they lie; what is between them may be anybody's. */
function digestOf(source: TensorSource): string {
  return createHash('sha256')
    .update(ownElements(source, stillBytes(source)))
    .digest('base64');
}
