import { FirError } from '../errors.js';
import type { CallRecord } from '../model/call.js';
import { DumpTensor, type TensorPlace } from './dump-tensor.js';
import { foreignTensor } from './foreign-tensor.js';
import { ownField } from './json-fields.js';
import type { CheckedRecord } from './record-fields.js';
import { TensorFiles } from './tensor-files.js';
import { TorchValues } from './torch-values.js';
import type { StoredTensor, TensorGroupName } from './types.js';
import { ValueFinder } from './value-finder.js';

export interface DumpParts extends CheckedRecord {
  text: string;
  /** Name of the directory, relative to the session. */
  dump: string;
  path: string;
  root: string;
  realRoot: string;
}

/** A tensor file of a dump. */
export interface DumpFile {
  name: string;
  group: TensorGroupName;
  /** Names in a .pt file's pickle that no tensor needs. They are shown and never run. */
  foreignGlobals: readonly string[];
  /** Why it can't be read at all. */
  error?: FirError;
}

/** One call's directory. Its tensor files are opened when first needed and stay open until `close`. */
export class Dump {
  readonly record: CallRecord;
  /** The record as it stands in its file: what Python writes as `1.0` is `1` in the parsed one. */
  readonly recordText: string;
  readonly path: string;
  readonly #parts: DumpParts;
  readonly #files: TensorFiles;
  readonly #keys: Record<TensorGroupName, readonly string[]>;
  readonly #finder: ValueFinder;

  constructor(parts: DumpParts) {
    const { record } = parts;
    this.#parts = parts;
    this.record = record;
    this.recordText = parts.text;
    this.path = parts.path;
    this.#files = new TensorFiles(parts.path, parts.realRoot);
    const { mutated_tensor_keys: mutated = [], mutated_pending_keys: pending = [] } = record.fir ?? {};
    this.#keys = {
      inputs: unique(record.tensor_info.input_tensor_keys),
      outputs: unique(record.tensor_info.output_tensor_keys),
      mutated: unique([...mutated, ...pending]),
    };
    this.#finder = new ValueFinder({
      root: parts.root,
      realRoot: parts.realRoot,
      path: parts.path,
      layouts: (record.fir ?? record.foreign)?.tensors ?? {},
      mutatedData: record.fir?.mutated_data ?? {},
      keys: this.#keys,
      mutatedFile: () => this.#files.nameOf('mutated', record.tensor_format),
      open: (name) => this.#files.open(name),
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
    if (record.fir === undefined && !this.#isAdded(key)) {
      const { dump } = this.#parts;
      return foreignTensor(
        { record, path, dump, files: this.#files },
        group === 'mutated' ? 'inputs' : group,
        key,
      );
    }
    const layout = this.#layoutOf(key);
    if (layout === undefined) {
      const why = badLayouts.get(key) ?? 'fir.tensors has none';
      throw new FirError('TENSOR_INVALID', `no layout of tensor ${JSON.stringify(key)}: ${why}`, {
        where: path,
      });
    }
    const place = this.#isLeftOut(group, key) ? { ...layout, ...this.#leftOut(group, key) } : layout;
    return new DumpTensor(key, place, () => this.#finder.find(group, key));
  }

  /** Whether another recorder's record says of the tensor what fir has to know, so that its file does not count. */
  #isAdded(key: string): boolean {
    const { record, badLayouts } = this.#parts;
    return badLayouts.has(key) || ownField(record.foreign?.tensors ?? {}, key) !== undefined;
  }

  #layoutOf(key: string): TensorPlace | undefined {
    const { record, dump } = this.#parts;
    if (record.fir !== undefined) return ownField(record.fir.tensors, key);
    const layout = ownField(record.foreign?.tensors ?? {}, key);
    return layout === undefined ? undefined : { ...layout, storage: `${dump}#${layout.storage}` };
  }

  /** Of a redacted call no value of an output is there, whatever its layout says of the argument that it is. */
  #isLeftOut(group: TensorGroupName, key: string): boolean {
    const isOutput = this.record.fir?.redacted === true && group !== 'inputs';
    return isOutput || this.#finder.redactedLayout(key) !== undefined;
  }

  #leftOut(group: TensorGroupName, key: string): Pick<TensorPlace, 'redacted' | 'redactedModel' | 'stats'> {
    const layout = this.#finder.redactedLayout(key);
    const own = this.#layoutOf(key)?.data;
    const original = own !== undefined && 'sameAs' in own ? own.sameAs : key;
    const after = ownField(this.record.fir?.mutated_stats ?? {}, original);
    const stats = (group === 'inputs' ? undefined : after) ?? layout?.stats;
    const { data } = layout ?? {};
    const model = data !== undefined && 'redacted' in data ? data.sha256 : undefined;
    return {
      redacted: true,
      ...(stats === undefined ? {} : { stats }),
      ...(model === undefined ? {} : { redactedModel: model }),
    };
  }

  /** The tensor files that are there, with what is to be said of each that holds more or less than tensors. */
  files(): DumpFile[] {
    const found: DumpFile[] = [];
    for (const group of ['inputs', 'outputs', 'mutated'] as const) {
      const name = this.#files.nameOf(group, this.record.tensor_format);
      try {
        if (!this.#files.has(name)) continue;
        const file = this.#files.open(name);
        found.push({ name, group, foreignGlobals: file instanceof TorchValues ? file.foreignGlobals : [] });
      } catch (error) {
        if (!(error instanceof FirError)) throw error;
        found.push({ name, group, foreignGlobals: [], error });
      }
    }
    return found;
  }

  /** The keys in a tensor file, whatever the record says. FirError where it can't be opened. */
  fileKeys(name: string): string[] {
    return [...this.#files.open(name).keys];
  }

  close(): void {
    this.#files.close();
  }
}

function unique(keys: readonly string[]): string[] {
  return [...new Set(keys)];
}
