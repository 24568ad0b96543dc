import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { OLD_METADATA } from '../flashinfer/index.js';
import { METADATA } from '../session/dump-scan.js';
import type { Dump, TensorGroupName } from '../session/index.js';
import { statOf } from '../session/safe-path.js';
import { type ContentWriter, keepAccess, writeDurably } from './content-writer.js';
import {
  type ConversionPlan,
  convertFiles,
  groupTensors,
  type MovedTensor,
  StorageNames,
} from './convert-dump.js';
import { convertedLines, type RecordChanges } from './converted-records.js';
import { lostLayouts } from './lost-layouts.js';
import type { RepeatedContents } from './repeated-contents.js';

/** A dump whose contents stand in blobs/ as well, with its new files beside the session, and its records not changed yet. */
export interface StagedDump {
  name: string;
  changes: RecordChanges;
  /** Of the new files. */
  bytes: number;
  /** Puts records that refer to blobs/ in the dump. Its files hold all values still. */
  writeRecords(): void;
  /** Puts the new files in the place of the old ones; gives the bytes that those took. */
  replaceFiles(): number;
}

export interface StagingPlace {
  /** The session's directory, without symbolic links. */
  realRoot: string;
  /** An own directory for the dump's new files, on the same file system. */
  path: string;
}

/**
 * Writes contents of a dump to blobs/, and its files without them into the place. Undefined where its files can't be
 * written anew without being laid out in another way. FirError where a tensor can't be read.
 */
export function stageDump(
  dump: Dump,
  name: string,
  { groups }: RepeatedContents,
  writer: ContentWriter,
  { realRoot, path }: StagingPlace,
): StagedDump | undefined {
  const names = new StorageNames(dump);
  const plan: ConversionPlan = { groups: [], kept: [] };
  const moved = new Map<string, MovedTensor>();
  const endContents = new Map<string, string>();
  const files = new Map(dump.files().map((file) => [file.group, file.name]));
  for (const [group, contents] of groups) {
    const file = files.get(group);
    if (file === undefined) return undefined;
    const tensors = groupTensors(dump, group, file, false, names);
    plan.groups.push({
      group,
      name: file,
      format: file.endsWith('.pt') ? 'torch' : 'safetensors',
      tensors: tensors.map((tensor) => ({
        ...tensor,
        isSaved: tensor.isSaved && !contents.has(tensor.key),
      })),
    });
    for (const { key, stored, storage } of tensors) {
      const sha256 = contents.get(key);
      if (sha256 === undefined) continue;
      if (group === 'mutated') endContents.set(key, sha256);
      else moved.set(key, { stored, storage, data: { sha256 } });
    }
  }
  mkdirSync(path, { mode: 0o700 });
  const converted = convertFiles(dump, plan, path);
  if (!areInOldFiles(dump, converted.moved, plan)) return undefined;
  for (const [key, place] of moved) converted.moved.set(key, place);
  keepContents(dump, name, groups, writer);
  const added = lostLayouts(dump, converted, { name, path, realRoot });
  const changes: RecordChanges = {
    format: dump.record.tensor_format,
    moved: converted.moved,
    endStates: new Set(),
    endContents,
    added,
  };
  const lines = convertedLines(dump, name, realRoot, changes);
  const target = dump.path;
  return {
    name,
    changes,
    bytes: [...converted.written.values()].reduce((sum, bytes) => sum + bytes, 0),
    writeRecords: () => writeRecords(target, lines),
    replaceFiles: () => replaceFiles([...groups.keys()], files, converted.written, path, target),
  };
}

function keepContents(
  dump: Dump,
  name: string,
  groups: RepeatedContents['groups'],
  writer: ContentWriter,
): void {
  for (const [group, contents] of groups) {
    for (const [key, sha256] of contents) {
      writer.keep(sha256, name, () => dump.tensor(group, key).chunks());
    }
  }
}

/** Between the new records and the new files the old ones are read by the new records. */
function areInOldFiles(dump: Dump, moved: ReadonlyMap<string, MovedTensor>, plan: ConversionPlan): boolean {
  const old = new Set(plan.groups.flatMap(({ name }) => (name === undefined ? [] : dump.fileKeys(name))));
  return [...moved.values()].every(
    ({ data, stored }) =>
      'key' in data && (old.has(data.key) || (stored.strings !== undefined && old.has(`${data.key}#bytes`))),
  );
}

function writeRecords(dump: string, lines: readonly string[]): void {
  const path = join(dump, METADATA);
  const old = join(dump, OLD_METADATA);
  const before = statOf(path) ?? statOf(old);
  writeDurably(path, [Buffer.from(lines.map((line) => `${line}\n`).join(''))]);
  keepAccess(path, before);
  rmSync(old, { force: true });
}

function replaceFiles(
  groups: readonly TensorGroupName[],
  files: ReadonlyMap<TensorGroupName, string>,
  written: ReadonlyMap<string, number>,
  from: string,
  to: string,
): number {
  let bytes = 0;
  for (const group of groups) {
    const name = files.get(group);
    if (name === undefined) continue;
    const path = join(to, name);
    const before = statOf(path);
    bytes += before?.size ?? 0;
    if (written.has(name)) {
      const staged = join(from, name);
      sync(staged);
      keepAccess(staged, before);
      renameSync(staged, path);
    } else unlinkSync(path);
  }
  return bytes;
}

function sync(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
