import type { TensorSource } from '../core/model/tensor.js';
import { MIN_CONTENT_BYTES } from '../core/tensor-files/content-size.js';
import { crowdedStorages } from '../core/tensor-files/crowded-storages.js';
import { logicalBytes, logicalData } from '../core/tensor-files/tensor-data.js';
import { BlobStore, sha256Of } from './blob-store.js';
import type { CallGate } from './call-gate.js';
import type { CallRedaction } from './call-redaction.js';
import { ContentHashes } from './content-hashes.js';
import { writeBeside } from './dump-files.js';
import type { ObjectTable } from './object-table.js';
import { type RecordedFunction, roleOf } from './recorded-function.js';
import { isSameTensor, SameTensors } from './same-tensor.js';
import { type LayoutContext, layOutGroup, type TensorFormat, type TensorGroup } from './tensor-group.js';

type Tensors = ReadonlyMap<string, TensorSource>;

export interface TensorFilesOptions {
  session: string;
  /** Names this writer among all of the session. */
  tag: string;
  format: TensorFormat;
  /** Contents that come again are stored once. */
  dedupe: boolean;
  gate: CallGate;
  objects: ObjectTable;
  /** With it no values are written. */
  redaction: CallRedaction | undefined;
  /** Content was written under `blobs/`. */
  onContent(sha256: string, bytes: number): void;
}

/** A group with what it refers to under `blobs/`. */
export interface WritableGroup extends TensorGroup {
  /** By SHA-256, each once. */
  contents: ReadonlyMap<string, Uint8Array>;
  /** Of the file, and of the contents that are not stored yet. */
  newBytes: number;
}

/** Lays out and writes the tensor files of dumps, and counts what they take. */
export class TensorFiles {
  readonly #options: TensorFilesOptions;
  readonly #blobs: BlobStore;
  readonly #hashes: ContentHashes;

  constructor(options: TensorFilesOptions) {
    this.#options = options;
    this.#blobs = new BlobStore(options.session, options.tag);
    this.#hashes = new ContentHashes(this.#blobs);
  }

  layOutInputs(fn: RecordedFunction, tensors: Tensors): WritableGroup {
    const same = new SameTensors();
    const { isBlob } = fn;
    return this.#layOut('inputs', tensors, isBlob, {
      ...this.#context(),
      sameAs: (key, source) => same.find(key, source),
      isContentless: (key) => roleOf(fn, key) === 'out' && !isAlsoRead(fn, key, tensors),
      ...(isBlob === undefined
        ? {}
        : { identity: (key, source) => (isBlob(key) ? sha256Of(logicalData(source)) : undefined) }),
    });
  }

  /** A result that is an argument is not laid out again. */
  layOutOutputs(inputs: Tensors, tensors: Tensors): WritableGroup {
    const same = new SameTensors(inputs);
    const sameAs = (key: string, source: TensorSource): string | undefined => same.find(key, source);
    return this.#layOut('outputs', tensors, undefined, { ...this.#context(), sameAs });
  }

  layOutMutated(tensors: Tensors): WritableGroup {
    return this.#layOut('mutated', tensors, undefined, { ...this.#context(), isPlain: true });
  }

  /** Writes the group's contents and its file; none where there is nothing in it. */
  write(dump: string, group: WritableGroup): void {
    const { tag, gate, onContent } = this.#options;
    for (const [sha256, bytes] of group.contents) {
      const written = this.#blobs.keep(dump, sha256, bytes);
      if (written === 0) continue;
      gate.addContentBytes(written);
      onContent(sha256, written);
    }
    if (group.pieces.length === 0) return;
    writeBeside(`${dump}/${group.file}`, tag, group.pieces);
    gate.addBytes(group.fileBytes);
  }

  #layOut(
    name: 'inputs' | 'outputs' | 'mutated',
    tensors: Tensors,
    isBlob: RecordedFunction['isBlob'],
    context: LayoutContext,
  ): WritableGroup {
    const contents = new Map<string, Uint8Array>();
    const isContent = this.#contentRule(tensors);
    const blob = (key: string, source: TensorSource): string | undefined => {
      const isModel = isBlob?.(key) === true;
      if (!this.#blobs.isUsable || (!isModel && !isContent(source))) return undefined;
      const bytes = logicalData(source);
      const sha256 = isModel ? sha256Of(bytes) : this.#hashes.sha256Of(source, bytes);
      contents.set(sha256, bytes);
      return sha256;
    };
    const needsBlobs = isBlob !== undefined || this.#options.dedupe;
    const group = layOutGroup(name, tensors, needsBlobs ? { ...context, blob } : context);
    let newBytes = group.fileBytes;
    for (const [sha256, { length }] of contents) {
      if (this.#blobs.sizeOf(sha256) !== length) newBytes += length;
    }
    return Object.assign(group, { contents, newBytes });
  }

  /** What of a group is large enough, and would not take more room by its values than as it lies. */
  #contentRule(tensors: Tensors): (source: TensorSource) => boolean {
    if (!this.#options.dedupe) return () => false;
    const isLarge = (source: TensorSource): boolean =>
      source.strings === undefined && logicalBytes(source) >= MIN_CONTENT_BYTES;
    if (![...tensors.values()].some(isLarge)) return () => false;
    const crowded = crowdedStorages(tensors);
    return (source) => isLarge(source) && !crowded.has(source.storage);
  }

  #context(): LayoutContext {
    const { format, objects, redaction } = this.#options;
    return {
      format,
      storageId: (storage) => objects.storageId(storage),
      statisticsOf: redaction && ((source) => redaction.statisticsOf(source)),
    };
  }
}

/** A tensor that is written to under one key may be read under another: then what it holds matters. */
function isAlsoRead(fn: RecordedFunction, key: string, tensors: Tensors): boolean {
  const source = tensors.get(key);
  for (const [other, same] of tensors) {
    if (other === key || source === undefined || roleOf(fn, other) === 'out') continue;
    if (isSameTensor(same, source)) return true;
  }
  return false;
}
