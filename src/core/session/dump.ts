import { join } from 'node:path';
import { FirError } from '../errors.js';
import type { CallRecord } from '../model/call.js';
import type { TensorLayout } from '../model/tensor.js';
import { SafetensorsFile } from '../safetensors/index.js';
import { DumpTensor } from './dump-tensor.js';
import { foreignLayoutOf, layoutFromEntry } from './foreign-layouts.js';
import { ownField } from './json-fields.js';
import type { CheckedRecord } from './record-fields.js';
import { isPlainName, sizeOfSessionFile } from './safe-path.js';
import type { StoredTensor, TensorGroupName } from './types.js';
import { ValueFinder } from './value-finder.js';

export interface DumpParts extends CheckedRecord {
  path: string;
  root: string;
  realRoot: string;
}

/** One call's directory. Its tensor files are opened when first needed and stay open until `close`. */
export class Dump {
  readonly record: CallRecord;
  readonly path: string;
  readonly #parts: DumpParts;
  readonly #files = new Map<string, SafetensorsFile>();
  readonly #keys: Record<TensorGroupName, readonly string[]>;
  readonly #finder: ValueFinder;

  constructor(parts: DumpParts) {
    const { record } = parts;
    this.#parts = parts;
    this.record = record;
    this.path = parts.path;
    const { mutated_tensor_keys: mutated = [], mutated_pending_keys: pending = [] } = record.fir ?? {};
    this.#keys = {
      inputs: unique(record.tensor_info.input_tensor_keys),
      outputs: unique(record.tensor_info.output_tensor_keys),
      mutated: unique([...mutated, ...pending]),
    };
    this.#finder = new ValueFinder({
      root: parts.root,
      realRoot: parts.realRoot,
      layouts: record.fir?.tensors ?? {},
      keys: this.#keys,
      mutatedFile: fileOf('mutated', record),
      open: (name) => this.#open(name),
    });
  }

  /** Keys of the tensors that were arguments, of those that came back, and of arguments that the call changed. */
  keys(group: TensorGroupName): string[] {
    return [...this.#keys[group]];
  }

  /**
   * A tensor's layout; its values are looked for when they are asked for. In `mutated` it is the argument's state after
   * the call. FirError TENSOR_INVALID, TENSOR_UNSUPPORTED or DTYPE_UNKNOWN where the layout can't be had.
   */
  tensor(group: TensorGroupName, key: string): StoredTensor {
    const { record, badLayouts, path } = this.#parts;
    if (record.fir === undefined) return this.#foreignTensor(group === 'mutated' ? 'inputs' : group, key);
    const layout = ownField(record.fir.tensors, key);
    if (layout === undefined) {
      const why = badLayouts.get(key) ?? 'fir.tensors has none';
      throw new FirError('TENSOR_INVALID', `no layout of tensor ${JSON.stringify(key)}: ${why}`, {
        where: path,
      });
    }
    return new DumpTensor(key, layout, () => this.#finder.find(group, key));
  }

  close(): void {
    for (const file of this.#files.values()) file.close();
    this.#files.clear();
  }

  /** FlashInfer's files hold every tensor contiguous under its own key; its layout stands in the record. */
  #foreignTensor(group: 'inputs' | 'outputs', key: string): StoredTensor {
    const { record, path } = this.#parts;
    const name = fileOf(group, record);
    let layout = foreignLayoutOf(record, group, key);
    if (layout === undefined) {
      const entry = this.#open(name).entries.get(key);
      layout = entry === undefined ? undefined : layoutFromEntry(entry);
    }
    if (layout === undefined) {
      throw new FirError(
        'TENSOR_INVALID',
        `no layout of tensor ${JSON.stringify(key)} in the record or in ${name}`,
        {
          where: path,
        },
      );
    }
    const known: Omit<TensorLayout, 'storage'> = layout;
    return new DumpTensor(key, known, () => this.#finder.findIn(this.#open(name), key, known));
  }

  #open(name: string): SafetensorsFile {
    const known = this.#files.get(name);
    if (known !== undefined) return known;
    const path = join(this.path, name);
    if (!isPlainName(name)) {
      throw new FirError(
        'UNSAFE_PATH',
        `the record names a file outside its directory: ${JSON.stringify(name)}`,
        {
          where: this.path,
        },
      );
    }
    if (name.endsWith('.pt')) {
      throw new FirError('TENSOR_UNSUPPORTED', "this version of fir can't read .pt files yet", {
        where: path,
        hint: 'record with FLASHINFER_DUMP_SAFETENSORS=1',
      });
    }
    if (sizeOfSessionFile(this.#parts.realRoot, path) === undefined) {
      throw new FirError('TENSOR_DATA_MISSING', `${name} is missing`, { where: path });
    }
    const file = SafetensorsFile.open(path);
    this.#files.set(name, file);
    return file;
  }
}

function fileOf(group: TensorGroupName, record: CallRecord): string {
  return `${group}.${record.tensor_format === 'torch' ? 'pt' : 'safetensors'}`;
}

function unique(keys: readonly string[]): string[] {
  return [...new Set(keys)];
}
