import type { TensorSource } from '../core/model/tensor.js';
import { BlobStore } from './blob-store.js';
import type { CallGate } from './call-gate.js';
import { writeBeside } from './dump-files.js';
import type { ObjectTable } from './object-table.js';
import { type RecordedFunction, roleOf } from './recorded-function.js';
import { isSameTensor, SameTensors } from './same-tensor.js';
import { logicalData } from './tensor-data.js';
import { type LayoutContext, layOutGroup, type TensorFormat, type TensorGroup } from './tensor-group.js';

type Tensors = ReadonlyMap<string, TensorSource>;

/** Lays out and writes the tensor files of dumps, and counts what they take. */
export class TensorFiles {
  readonly #tag: string;
  readonly #format: TensorFormat;
  readonly #gate: CallGate;
  readonly #objects: ObjectTable;
  readonly #blobs: BlobStore;

  /** `tag` names this writer among all of the session. */
  constructor(session: string, tag: string, format: TensorFormat, gate: CallGate, objects: ObjectTable) {
    this.#tag = tag;
    this.#format = format;
    this.#gate = gate;
    this.#objects = objects;
    this.#blobs = new BlobStore(session, tag);
  }

  layOutInputs(fn: RecordedFunction, tensors: Tensors): TensorGroup {
    const same = new SameTensors();
    const { isBlob } = fn;
    return layOutGroup('inputs', tensors, {
      ...this.#context(),
      sameAs: (key, source) => same.find(key, source),
      isContentless: (key) => roleOf(fn, key) === 'out' && !isAlsoRead(fn, key, tensors),
      ...(isBlob === undefined
        ? {}
        : { blob: (key, source) => (isBlob(key) ? this.#storeBlob(source) : undefined) }),
    });
  }

  /** A result that is an argument is not laid out again. */
  layOutOutputs(inputs: Tensors, tensors: Tensors): TensorGroup {
    const same = new SameTensors(inputs);
    const sameAs = (key: string, source: TensorSource): string | undefined => same.find(key, source);
    return layOutGroup('outputs', tensors, { ...this.#context(), sameAs });
  }

  layOutMutated(tensors: Tensors): TensorGroup {
    return layOutGroup('mutated', tensors, { ...this.#context(), isPlain: true });
  }

  /** Writes the group's file; none where there is nothing in it. */
  write(dump: string, group: TensorGroup): void {
    if (group.pieces.length === 0) return;
    writeBeside(`${dump}/${group.file}`, this.#tag, group.pieces);
    this.#gate.addBytes(group.fileBytes);
  }

  #context(): LayoutContext {
    return { format: this.#format, storageId: (storage) => this.#objects.storageId(storage) };
  }

  /** Stays with the call, which is then refused, where it would not fit. */
  #storeBlob(source: TensorSource): string | undefined {
    if (!this.#gate.hasRoom(source.bytes.length)) return undefined;
    const { sha256, writtenBytes } = this.#blobs.store(logicalData(source));
    this.#gate.addBytes(writtenBytes);
    return sha256;
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
