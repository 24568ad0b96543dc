import { byteLengthOf, dtypeOf } from '../../dtype/index.js';
import { FirError } from '../../errors.js';
import type { CallRecord } from '../../model/call.js';
import type { DtypeName } from '../../model/dtype.js';
import type { LayoutStatistics } from '../../model/tensor.js';
import type { StoredTensor } from '../../session/index.js';
import { elementCount } from '../../tensor/index.js';
import { type DrawnRange, drawStrings, drawValues } from './draw-values.js';
import { RandomStream } from './random-stream.js';

/** Nothing on disk shows that the memory of a tensor is as large as its record says: this much is believed. */
export const MAX_DRAWN_BYTES = 4 * 1024 ** 3;
/** Of strings, each of which is an object. */
const MAX_DRAWN_TEXT = 64 * 1024 * 1024;
const CHUNK_BYTES = 1024 * 1024;

/** A recorded tensor whose values were left out, with random ones of the recorded range in their place: at every reading the same. */
export class DrawnTensor implements StoredTensor {
  readonly key: string;
  readonly dtype: DtypeName;
  readonly shape: number[];
  readonly stride: number[];
  readonly offset: number;
  readonly storage: number | string | undefined;
  readonly storageBytes: number;
  readonly device: string;
  readonly host?: string;
  readonly sameAs?: string;
  readonly parameter?: true;
  readonly requiresGrad?: true;
  readonly redacted = true;
  readonly stats: LayoutStatistics;
  readonly byteLength: number;
  readonly strings?: () => string[];
  readonly #range: DrawnRange;
  readonly #stream: RandomStream;

  /** FirError TOO_LARGE where more strings are claimed than can be believed. */
  constructor(stored: StoredTensor, stream: RandomStream) {
    const { dtype, shape, stats = {} } = stored;
    const elements = elementCount(shape);
    this.key = stored.key;
    this.dtype = dtype;
    this.shape = shape;
    this.stride = stored.stride;
    this.offset = stored.offset;
    this.storage = stored.storage;
    this.storageBytes = stored.storageBytes;
    this.device = stored.device;
    if (stored.host !== undefined) this.host = stored.host;
    if (stored.sameAs !== undefined) this.sameAs = stored.sameAs;
    if (stored.parameter === true) this.parameter = true;
    if (stored.requiresGrad === true) this.requiresGrad = true;
    this.stats = stats;
    this.#range = { dtype, stats, elements };
    this.#stream = stream;
    if (dtype === 'string') this.strings = () => drawStrings(this.#range, stream);
    this.byteLength = dtype === 'string' ? elements * (stats.maxBytes ?? 0) : byteLengthOf(dtype, elements);
    if (dtype === 'string' && this.byteLength + elements > MAX_DRAWN_TEXT) {
      throw new FirError(
        'TOO_LARGE',
        `${this.key} claims ${this.byteLength} bytes of strings, which were redacted`,
      );
    }
  }

  verify(): void {}

  logicalBytes(): Uint8Array {
    const { elements } = this.#range;
    return this.draw(elements);
  }

  *chunks(chunkBytes = CHUNK_BYTES): Generator<Uint8Array> {
    const { elements } = this.#range;
    // Of 4-bit elements two share a byte.
    const perChunk = Math.max(2, 2 * Math.floor((chunkBytes * 8) / dtypeOf(this.dtype).bitsPerElement / 2));
    for (let begin = 0; begin < elements; begin += perChunk) {
      yield drawValues(this.#range, this.#stream, begin, Math.min(elements, begin + perChunk));
    }
  }

  /** So many elements as there is room for: of an expanded tensor each stands for several. */
  draw(elements: number): Uint8Array {
    return drawValues(this.#range, this.#stream, 0, elements);
  }

  savedRange(): undefined {
    return undefined;
  }

  fileRange(): undefined {
    return undefined;
  }

  fileBytes(): undefined {
    return undefined;
  }
}

/** What makes the inputs of a call whose values were left out, with the same numbers wherever its session lies. */
export function drawnFor(stored: StoredTensor, record: CallRecord, seed: number): StoredTensor {
  if (stored.redacted !== true) return stored;
  if (stored.redactedModel !== undefined) {
    throw new FirError(
      'NOT_REPLAYABLE',
      `${stored.key} was a model, which was redacted (sha256 ${stored.redactedModel.slice(0, 64)})`,
    );
  }
  const name = `${record.function_name}\0${record.call_sequence}\0${stored.key}`;
  return new DrawnTensor(stored, new RandomStream(seed, name));
}
