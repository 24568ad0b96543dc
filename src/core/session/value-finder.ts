import { join } from 'node:path';
import { byteLengthOf } from '../dtype/index.js';
import { FirError } from '../errors.js';
import type { ContentData, TensorLayout } from '../model/tensor.js';
import { elementCount } from '../tensor/index.js';
import { coveredRange, sourceFromRange } from './expanded-range.js';
import { ownField } from './json-fields.js';
import { hasSessionDirectory, sizeOfSessionFile, statOf } from './safe-path.js';
import { sourceFromStrings } from './strings-source.js';
import type { TensorGroupName } from './types.js';
import type { ValueFile, WantedLayout } from './value-file.js';
import { sourceFromBlob, type ValueSource } from './value-source.js';

/** Longer chains of tensors that are each other make no sense; a circle has no end. */
const MAX_SAME_AS = 64;
const SHA256 = /^[0-9a-f]{64}$/;

export interface FinderContext {
  root: string;
  /** Directory of the dump. */
  path: string;
  realRoot: string;
  layouts: Readonly<Record<string, TensorLayout>>;
  /** Where changed arguments stand that are not in the file of the dump. */
  mutatedData: Readonly<Record<string, ContentData>>;
  keys: Readonly<Record<TensorGroupName, readonly string[]>>;
  mutatedFile(): string;
  open(name: string): ValueFile;
}

/** Finds where the values of a call's tensors are kept, and checks what can be checked without reading them. */
export class ValueFinder {
  readonly #context: FinderContext;

  constructor(context: FinderContext) {
    this.#context = context;
  }

  /** FirError TENSOR_*, SAFETENSORS_INVALID, UNSAFE_PATH. */
  find(group: TensorGroupName, key: string): ValueSource {
    const { keys } = this.#context;
    let at = { group, key };
    let layout = this.#layoutOf(key);
    for (let step = 0; step < MAX_SAME_AS; step++) {
      const { data } = layout;
      if (data !== undefined && 'redacted' in data) throw redactedError(key, data.sha256);
      if (at.group === 'mutated' && this.#hasEndState(at.key)) return this.#endState(at.key, layout);
      if (data === undefined) {
        throw new FirError('TENSOR_DATA_MISSING', `the contents of ${quote(key)} were not saved`);
      }
      if ('sha256' in data) return this.#blob(data.sha256, layout, key);
      if ('file' in data) return this.#inFile(data.file, data.key, layout);
      const target = this.#layoutOf(data.sameAs);
      if (layout.dtype !== target.dtype || layout.shape.join() !== target.shape.join()) {
        throw new FirError(
          'TENSOR_INVALID',
          `${quote(at.key)} is recorded as the same tensor as ${quote(data.sameAs)}, but has another dtype or shape`,
        );
      }
      // A result that is an argument shows what the call made of it.
      const isArgument = at.group !== 'inputs' && keys.inputs.includes(data.sameAs);
      at = { group: isArgument ? 'mutated' : at.group, key: data.sameAs };
      layout = target;
    }
    throw new FirError('TENSOR_INVALID', `${quote(key)} is recorded as the same tensor as itself`);
  }

  /** Layout under which the values of a tensor were left out: its own, or that of the one that it is the same as. */
  redactedLayout(key: string): TensorLayout | undefined {
    let layout = ownField(this.#context.layouts, key);
    for (let step = 0; step < MAX_SAME_AS && layout?.data !== undefined; step++) {
      if ('redacted' in layout.data) return layout;
      if (!('sameAs' in layout.data)) return undefined;
      layout = ownField(this.#context.layouts, layout.data.sameAs);
    }
    return undefined;
  }

  /** Values under a tensor's own key, or under that of its storage. */
  findIn(file: ValueFile, key: string, layout: WantedLayout): ValueSource {
    return layout.dtype === 'string' ? sourceFromStrings(file, key, layout.shape) : file.find(key, layout);
  }

  #inFile(name: string, key: string, layout: TensorLayout): ValueSource {
    const file = this.#context.open(name);
    if (key !== storageKey(layout)) return this.findIn(file, key, layout);
    return this.#inRange(name.startsWith('outputs.') ? 'outputs' : 'inputs', file, key, layout);
  }

  /** Out of a storage that was saved once for all its views: the lowest of them begins at its first byte. */
  #inRange(group: TensorGroupName, file: ValueFile, key: string, layout: TensorLayout): ValueSource {
    const range = coveredRange(this.#viewsOf(group, layout.storage)) ?? { low: 0, high: 0 };
    const saved = file.flat(key, 'uint8', range.high - range.low);
    return sourceFromRange(layout, range, () => saved.read());
  }

  *#viewsOf(group: TensorGroupName, storage: number | string): Generator<TensorLayout> {
    for (const key of this.#context.keys[group]) {
      const layout = ownField(this.#context.layouts, key);
      if (layout?.storage === storage) yield layout;
    }
  }

  #hasEndState(key: string): boolean {
    const { keys, layouts, mutatedData } = this.#context;
    const layout = ownField(layouts, key);
    if (!keys.mutated.includes(key) || layout === undefined) return false;
    if (ownField(mutatedData, key) !== undefined) return true;
    // One tensor under two keys may be saved under the other one.
    if (layout.data === undefined || !('sameAs' in layout.data)) return true;
    if (ownField(mutatedData, layout.data.sameAs) !== undefined) return false;
    const file = this.#context.open(this.#context.mutatedFile());
    return file.has(key) || file.has(`${key}#bytes`) || file.has(storageKey(layout));
  }

  #endState(key: string, layout: TensorLayout): ValueSource {
    const data = ownField(this.#context.mutatedData, key);
    if (data !== undefined) return this.#blob(data.sha256, layout, key);
    const file = this.#context.open(this.#context.mutatedFile());
    const isRange = !file.has(key) && file.has(storageKey(layout));
    return isRange
      ? this.#inRange('mutated', file, storageKey(layout), layout)
      : this.findIn(file, key, layout);
  }

  #blob(sha256: string, layout: TensorLayout, key: string): ValueSource {
    const { root, realRoot } = this.#context;
    if (!SHA256.test(sha256)) {
      throw new FirError(
        'UNSAFE_PATH',
        `the blob of ${quote(key)} is not named by a SHA-256: ${quote(sha256)}`,
      );
    }
    const directory = join(root, 'blobs');
    const shared = join(directory, sha256);
    // A dump may hold a link to it, for the case that another process takes the name away.
    const own = join(this.#context.path, `${sha256}.blob`);
    const sharedSize = hasSessionDirectory(realRoot, directory)
      ? sizeOfSessionFile(realRoot, shared)
      : undefined;
    const path = sharedSize === undefined ? own : shared;
    const size = sharedSize ?? sizeOfSessionFile(realRoot, own);
    if (size === undefined) {
      if (statOf(directory) !== undefined && !hasSessionDirectory(realRoot, directory)) {
        throw new FirError('UNSAFE_PATH', 'blobs/ is no directory of the session', {
          where: directory,
          hint: 'put a copy of the directory in its place if you trust what it points to',
        });
      }
      throw new FirError('TENSOR_DATA_MISSING', `the blob of ${quote(key)} is missing`, { where: shared });
    }
    const expected = byteLengthOf(layout.dtype, elementCount(layout.shape));
    if (size !== expected) {
      throw new FirError(
        'TENSOR_INVALID',
        `the blob of ${quote(key)} has ${size} bytes, the tensor ${expected}`,
        {
          where: path,
        },
      );
    }
    return sourceFromBlob(path, sha256, size);
  }

  #layoutOf(key: string): TensorLayout {
    const layout = ownField(this.#context.layouts, key);
    if (layout === undefined) throw new FirError('TENSOR_INVALID', `no layout of tensor ${quote(key)}`);
    return layout;
  }
}

function redactedError(key: string, sha256: string | undefined): FirError {
  const what = sha256 === undefined ? '' : ` (a model, sha256 ${sha256.slice(0, 64)})`;
  return new FirError('TENSOR_DATA_MISSING', `the values of ${quote(key)} were redacted${what}`);
}

function storageKey(layout: TensorLayout): string {
  return `storage_${layout.storage}`;
}

function quote(text: string): string {
  return JSON.stringify(text);
}
