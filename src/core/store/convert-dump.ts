import { join } from 'node:path';
import { FirError } from '../errors.js';
import { writeFileBeside } from '../io/write-beside.js';
import type { CallRecord } from '../model/call.js';
import type { TensorData } from '../model/tensor.js';
import type { Dump, StoredTensor, TensorGroupName } from '../session/index.js';
import { ownField } from '../session/json-fields.js';
import { encodeSafetensorsGroup } from '../tensor-files/safetensors-group.js';
import type { EncodedFile } from '../tensor-files/tensor-data.js';
import { encodeTorchGroup } from '../tensor-files/torch-group.js';
import { type GroupTensor, sourcesOf } from './group-sources.js';

type Format = CallRecord['tensor_format'];

const EXTENSIONS: Readonly<Record<Format, string>> = { torch: 'pt', safetensors: 'safetensors' };
export const GROUPS = ['inputs', 'outputs', 'mutated'] as const;

export interface Conversion {
  /** Of the files that are written anew; absent: as they are. */
  format: Format | undefined;
  /** What stands in blobs/ goes back into the files. */
  plain: boolean;
}

/** A tensor whose place a conversion changed. */
export interface MovedTensor {
  stored: StoredTensor;
  storage: number | string;
  data: TensorData;
}

export interface ConvertedDump {
  /** By key; of `mutated` the record tells only what stands in blobs/. */
  moved: Map<string, MovedTensor>;
  /** Keys of `mutated` that stand in the group's file. */
  endStates: Set<string>;
  /** Names of files that were written into the target, with their bytes. */
  written: Map<string, number>;
  /** Names of the dump's files that stay as they are. */
  kept: string[];
  format: Format;
}

/** What a conversion would have to do to a dump. */
export interface ConversionPlan {
  groups: { group: TensorGroupName; name: string | undefined; format: Format; tensors: GroupTensor[] }[];
  kept: string[];
}

/** Undefined where there is nothing to convert. FirError where a file or a tensor can't be read. */
export function planConversion(dump: Dump, { format, plain }: Conversion): ConversionPlan | undefined {
  const files = new Map(dump.files().map((file) => [file.group, file]));
  const plan: ConversionPlan = { groups: [], kept: [] };
  const names = new StorageNames(dump);
  for (const group of GROUPS) {
    const file = files.get(group);
    const present = file?.name.endsWith('.pt') === true ? 'torch' : 'safetensors';
    const current = file === undefined ? dump.record.tensor_format : present;
    const wanted = format ?? current;
    const hasBlobs = plain && dump.keys(group).some((key) => isBlob(dump, group, key));
    if (!hasBlobs && (file === undefined || current === wanted)) {
      if (file !== undefined) plan.kept.push(file.name);
      continue;
    }
    if (file?.error !== undefined) throw file.error;
    const tensors = groupTensors(dump, group, file?.name, plain, names);
    plan.groups.push({ group, name: file?.name, format: wanted, tensors });
  }
  const isAsRecorded = format === undefined || dump.record.tensor_format === format;
  return plan.groups.length === 0 && isAsRecorded ? undefined : plan;
}

/** Writes the files of a plan into `target`. FirError where a tensor can't be read or written. */
export function convertFiles(dump: Dump, plan: ConversionPlan, target: string): ConvertedDump {
  const converted: ConvertedDump = {
    moved: new Map(),
    endStates: new Set(),
    written: new Map(),
    kept: plan.kept,
    format: plan.groups[0]?.format ?? dump.record.tensor_format,
  };
  for (const { group, format, tensors } of plan.groups) {
    const sources = sourcesOf(tensors, format);
    if (sources.saved.length === 0) continue;
    const file: EncodedFile =
      format === 'torch'
        ? encodeTorchGroup(sources.saved, aliasesIn(dump, group))
        : encodeSafetensorsGroup(sources.saved, sources.all, group === 'mutated');
    const name = `${group}.${EXTENSIONS[format]}`;
    writeFileBeside(join(target, name), file.pieces);
    converted.written.set(name, file.byteLength);
    for (const { key, stored, storage, isSaved } of tensors) {
      if (!isSaved) continue;
      if (group === 'mutated') {
        converted.endStates.add(key);
        continue;
      }
      const data = { file: name, key: file.storedKeys.get(key) ?? key };
      converted.moved.set(key, { stored, storage, data });
    }
  }
  return converted;
}

/** Whether the values of a tensor stand in blobs/ by its record. */
export function isBlob(dump: Dump, group: TensorGroupName, key: string): boolean {
  if (group === 'mutated') return ownField(dump.record.fir?.mutated_data ?? {}, key) !== undefined;
  const data = dataOf(dump, key);
  return data !== undefined && 'sha256' in data && !('redacted' in data);
}

/** Where the record says that values are; undefined where it leaves that to the file, and where they were not saved. */
function dataOf({ record }: Dump, key: string): TensorData | undefined {
  return ownField((record.fir ?? record.foreign)?.tensors ?? {}, key)?.data;
}

/** The tensors of a group; `plain`: those in blobs/ go into its file. FirError where one that does can't be read. */
export function groupTensors(
  dump: Dump,
  group: TensorGroupName,
  name: string | undefined,
  plain: boolean,
  names: StorageNames,
): GroupTensor[] {
  const inFile = new Set(name === undefined ? [] : dump.fileKeys(name));
  refuseOthers(dump, group, name, inFile);
  return dump.keys(group).map((key): GroupTensor => {
    const stored = dump.tensor(group, key);
    const isSaved = isBlob(dump, group, key)
      ? plain
      : group === 'mutated'
        ? hasEndState(dump, key, inFile)
        : isInFile(dump, group, key);
    if (isSaved) stored.verify({ values: true });
    return { key, stored, storage: names.of(stored), isSaved };
  });
}

/** What another recorder's file holds beside the tensors of the record would be lost. */
function refuseOthers(
  dump: Dump,
  group: TensorGroupName,
  name: string | undefined,
  inFile: ReadonlySet<string>,
): void {
  if (dump.record.fir !== undefined || name === undefined) return;
  const known = new Set(dump.keys(group));
  const { tensors = {} } = dump.record.foreign ?? {};
  for (const layout of Object.values(tensors)) {
    if (layout.data !== undefined && 'file' in layout.data) known.add(layout.data.key);
  }
  const other = [...inFile].find((key) => !known.has(key));
  if (other === undefined) return;
  throw new FirError(
    'TENSOR_UNSUPPORTED',
    `${name} holds ${JSON.stringify(other)}, of which the record says nothing`,
  );
}

function isInFile(dump: Dump, group: TensorGroupName, key: string): boolean {
  const layouts = (dump.record.fir ?? dump.record.foreign)?.tensors ?? {};
  const layout = ownField(layouts, key);
  // Of another recorder's tensor the file tells by itself.
  if (layout === undefined) return dump.record.fir === undefined;
  const { data } = layout;
  if (data === undefined || !('file' in data)) return false;
  if (data.file.startsWith(`${group}.`)) return true;
  throw new FirError('TENSOR_UNSUPPORTED', `${JSON.stringify(key)} stands in a file of another group`);
}

/** One tensor under two keys is saved once. */
function hasEndState(dump: Dump, key: string, inFile: ReadonlySet<string>): boolean {
  const layout = ownField(dump.record.fir?.tensors ?? {}, key);
  const isOther = layout?.data !== undefined && 'sameAs' in layout.data;
  return !isOther || inFile.has(key) || inFile.has(`${key}#bytes`);
}

/** Names memory as the dump's own records do: of another recorder's call it is memory of that call alone. */
export class StorageNames {
  readonly #dump: Dump;
  readonly #made = new Map<number | string, string>();
  readonly #taken: ReadonlySet<string>;

  constructor(dump: Dump) {
    this.#dump = dump;
    const layouts = Object.values(dump.record.foreign?.tensors ?? {});
    this.#taken = new Set(layouts.map((layout) => String(layout.storage)));
  }

  of({ storage, key }: StoredTensor): number | string {
    const { fir, foreign } = this.#dump.record;
    const recorded = ownField((fir ?? foreign)?.tensors ?? {}, key)?.storage;
    if (recorded !== undefined) return recorded;
    const known = storage === undefined ? undefined : this.#made.get(storage);
    if (known !== undefined) return known;
    const name = this.#next();
    this.#made.set(storage ?? name, name);
    return name;
  }

  #next(): string {
    for (let number = this.#made.size; ; number += this.#taken.size + 1) {
      if (!this.#taken.has(`m${number}`)) return `m${number}`;
    }
  }
}

/** Further keys of a tensor: whoever loads a .pt file finds every argument in it. */
function aliasesIn(dump: Dump, group: TensorGroupName): Map<string, string> {
  const aliases = new Map<string, string>();
  if (group === 'mutated') return aliases;
  for (const key of dump.keys(group)) {
    const data = dataOf(dump, key);
    if (data !== undefined && 'sameAs' in data) aliases.set(key, data.sameAs);
  }
  return aliases;
}
