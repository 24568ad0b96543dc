import { FirError } from '../errors.js';
import type { Dump, StoredTensor } from '../session/index.js';
import { Storage, Tensor } from '../tensor/index.js';
import { drawnFor } from './drawn/drawn-tensor.js';
import { fillStorage, layoutIn } from './fill-storage.js';
import { type InputTensor, inputTensor } from './input-tensor.js';
import { type PlannedBuffer, planStorages } from './storage-plan.js';
import type { StorageRegistry } from './storage-registry.js';

/** Makes the class that held a tensor in the program; `tensor` is undefined for strings. */
export type HostMaker = (
  stored: StoredTensor,
  tensor: Tensor | undefined,
  strings: readonly string[] | undefined,
) => unknown;

/** The tensors that went into a call, rebuilt with their dtypes, strides, offsets and sharing. */
export class RehydratedInputs {
  /** What could not be restored of the recorded layouts, in words. */
  readonly notes: string[] = [];
  readonly #stored = new Map<string, StoredTensor>();
  readonly #tensors = new Map<string, Tensor>();
  readonly #hosts = new Map<string, unknown>();
  readonly #makeHost: HostMaker;

  /** Of all tensors, or of those under `keys`; `seed` is for those whose values were redacted. Throws FirError TENSOR_CONFLICT, TOO_LARGE, and what reading a tensor throws. */
  constructor(
    dump: Dump,
    registry: StorageRegistry,
    makeHost: HostMaker,
    { keys = dump.keys('inputs'), seed = 0 }: { keys?: readonly string[]; seed?: number } = {},
  ) {
    this.#makeHost = makeHost;
    for (const key of keys) this.#stored.set(key, drawnFor(dump.tensor('inputs', key), dump.record, seed));
    const inputs = new Map<string, InputTensor>();
    for (const [key, stored] of this.#stored) {
      if (this.originalOf(key) === key && stored.dtype !== 'string')
        inputs.set(key, inputTensor(dump, stored));
    }
    const { buffers, sparse } = planStorages([...inputs.values()].map(({ extent }) => extent));
    for (const plan of buffers) this.#rebuild(plan, inputs, registry);
    for (const key of sparse) this.#rebuildContiguous(key);
  }

  keys(): string[] {
    return [...this.#stored.keys()];
  }

  has(key: string): boolean {
    return this.#stored.has(key);
  }

  /** The tensor as the program held it: one object for one tensor, however often it was passed. */
  host(key: string): unknown {
    const original = this.originalOf(key);
    const made = this.#hosts.get(original);
    if (made !== undefined) return made;
    const stored = this.#stored.get(original);
    if (stored === undefined) {
      throw new FirError(
        'TENSOR_DATA_MISSING',
        `an argument names tensor '${key}', which the dump does not have`,
      );
    }
    const host = this.#makeHost(stored, this.#tensors.get(original), stored.strings?.());
    this.#hosts.set(original, host);
    return host;
  }

  /** The key of the tensor that this one is the very same as; its own where it is no other's. */
  originalOf(key: string): string {
    const seen = new Set<string>();
    for (let at = key; ; ) {
      const next = this.#stored.get(at)?.sameAs;
      if (next === undefined || !this.#stored.has(next)) return at;
      if (seen.has(next)) {
        throw new FirError(
          'TENSOR_INVALID',
          `'${key}' is recorded as the same tensor as itself, in a circle`,
        );
      }
      seen.add(next);
      at = next;
    }
  }

  #rebuild(plan: PlannedBuffer, inputs: ReadonlyMap<string, InputTensor>, registry: StorageRegistry): void {
    const own = plan.keys.map((key) => inputs.get(key)).filter((input) => input !== undefined);
    const id = plan.storage;
    const live = id === undefined ? undefined : registry.find(id, plan.base, plan.high);
    const { buffer, base } = live ?? { buffer: makeBuffer(plan, own), base: plan.base };
    if (live === undefined && id !== undefined) registry.add(id, { buffer, base });
    const storage = new Storage(new Uint8Array(buffer), id);
    fillStorage(own, storage.bytes, base, live !== undefined);
    for (const input of own) {
      const { dtype, shape, stride, offset } = layoutIn(input, base);
      this.#tensors.set(input.stored.key, new Tensor({ dtype, shape, stride, offset, storage }));
    }
  }

  #rebuildContiguous(key: string): void {
    const stored = this.#stored.get(key);
    if (stored === undefined) return;
    this.notes.push(
      `layout not restored: ${key} is contiguous, as its stride [${stored.stride}] would take far more memory than its values`,
    );
    this.#tensors.set(key, Tensor.fromBytes(stored.dtype, stored.shape, stored.logicalBytes()));
  }
}

function makeBuffer({ base, high }: PlannedBuffer, inputs: readonly InputTensor[]): ArrayBufferLike {
  const size = high - base;
  const isShared = inputs.some(({ stored }) => stored.host === 'SharedArrayBuffer');
  try {
    return isShared ? new SharedArrayBuffer(size) : new ArrayBuffer(size);
  } catch (error) {
    const keys = inputs.map(({ stored }) => stored.key).join(', ');
    throw new FirError('TOO_LARGE', `${size} bytes for ${keys} are more than this machine can give`, {
      cause: error,
    });
  }
}
