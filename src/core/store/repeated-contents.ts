import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { dtypeOf } from '../dtype/index.js';
import { FirError } from '../errors.js';
import type { Turns } from '../io/turns.js';
import type { CallEntry, Dump, Session, StoredTensor, TensorGroupName } from '../session/index.js';
import { ownField } from '../session/json-fields.js';
import { statOf } from '../session/safe-path.js';
import { extentOf } from '../tensor/index.js';
import { EXPANSION_FACTOR } from '../tensor-files/crowded-storages.js';
import { readBlobSizes } from './blob-files.js';
import { GROUPS, isBlob } from './convert-dump.js';

/** What of a dump is to be kept in blobs/. */
export interface RepeatedContents {
  /** SHA-256 by tensor key. Groups whose file only has to lose what its record no longer needs have none. */
  groups: Map<TensorGroupName, Map<string, string>>;
}

export interface FoundContents {
  /** By name of the dump. */
  dumps: Map<string, RepeatedContents>;
  /** Of the tensors whose content is elsewhere in the session too. */
  tensors: number;
  bytes: number;
  /** Of their contents, each once, that are not in blobs/ yet. */
  newBytes: number;
}

interface Candidate {
  group: TensorGroupName;
  key: string;
  stored: StoredTensor;
}

/** Where a content was met first. */
interface Sighting {
  dump: string;
  group: TensorGroupName;
  key: string;
}

/**
 * Finds tensors whose content is in the session more than once, in any two of its dumps or in blobs/. Only those are
 * hashed that have as many bytes as another one. What can't be read stays as it is.
 */
export async function findRepeatedContents(
  session: Session,
  minBytes: number,
  turns: Turns,
  onProgress: (done: number, total: number) => void,
): Promise<FoundContents> {
  const blobs = readBlobSizes(session.realRoot);
  const blobSizes = new Set(blobs.values());
  const counts = new Map<number, number>();
  const total = session.calls.length * 2;
  await eachDump(session, turns, (dump, call) => {
    for (const { stored } of candidatesOf(dump, minBytes)) {
      counts.set(stored.byteLength, (counts.get(stored.byteLength) ?? 0) + 1);
    }
    onProgress(call.number, total);
  });
  const found: FoundContents = { dumps: new Map(), tensors: 0, bytes: 0, newBytes: 0 };
  const first = new Map<string, Sighting | undefined>();
  const mayRepeat = ({ byteLength }: StoredTensor): boolean =>
    (counts.get(byteLength) ?? 0) > 1 || blobSizes.has(byteLength);
  await eachDump(session, turns, (dump, call) => {
    for (const { group, key, stored } of candidatesOf(dump, minBytes)) {
      const sha256 = mayRepeat(stored) ? hashOf(stored) : undefined;
      if (sha256 === undefined) continue;
      const add = (sighting: Sighting): void => {
        note(found, sighting, sha256);
        found.tensors += 1;
        found.bytes += stored.byteLength;
      };
      const sighting = { dump: call.dump, group, key };
      const before = first.get(sha256);
      if (before !== undefined) {
        add(before);
        found.newBytes += stored.byteLength;
      }
      if (first.has(sha256) || blobs.has(sha256)) {
        add(sighting);
        first.set(sha256, undefined);
      } else first.set(sha256, sighting);
    }
    for (const group of unfinishedGroups(dump)) groupOf(found, call.dump, group);
    onProgress(session.calls.length + call.number, total);
  });
  return found;
}

function note(found: FoundContents, { dump, group, key }: Sighting, sha256: string): void {
  groupOf(found, dump, group).set(key, sha256);
}

function groupOf({ dumps }: FoundContents, name: string, group: TensorGroupName): Map<string, string> {
  const dump = dumps.get(name) ?? { groups: new Map() };
  dumps.set(name, dump);
  const keys = dump.groups.get(group) ?? new Map<string, string>();
  dump.groups.set(group, keys);
  return keys;
}

/**
 * Snapshots of a CUDA graph are told apart by the bytes of their files, and what a recorder may write again is not changed
 * either.
 */
async function eachDump(
  session: Session,
  turns: Turns,
  visit: (dump: Dump, call: CallEntry) => void,
): Promise<void> {
  for (const call of session.calls) {
    await turns.take();
    if (call.problem !== undefined || call.status === 'no_record' || call.graphCapture) continue;
    const dump = openOf(session, call);
    if (dump === undefined) continue;
    try {
      visit(dump, call);
    } finally {
      dump.close();
    }
  }
}

function openOf(session: Session, call: CallEntry): Dump | undefined {
  return ifReadable(() => session.openDump(call));
}

function candidatesOf(dump: Dump, minBytes: number): Candidate[] {
  const found: Candidate[] = [];
  for (const { name, group, error } of dump.files()) {
    if (error !== undefined || statOf(join(dump.path, name))?.isFile() !== true) continue;
    const inFile = new Set(dump.fileKeys(name));
    const tensors = dump.keys(group).flatMap((key): Candidate[] => {
      const stored = ifReadable(() => dump.tensor(group, key));
      return stored === undefined ? [] : [{ group, key, stored }];
    });
    const crowded = crowdedStorages(tensors);
    for (const candidate of tensors) {
      const { key, stored } = candidate;
      const isLarge = stored.dtype !== 'string' && stored.byteLength >= minBytes;
      if (!isLarge || stored.redacted === true || isExpanded(stored) || !inFile.has(key)) continue;
      if (isOwnEntry(dump, group, key, name) && !crowded.has(stored.storage ?? stored)) found.push(candidate);
    }
  }
  return found;
}

/** Whether the values stand in the group's file under the tensor's own key, by the record. */
function isOwnEntry(dump: Dump, group: TensorGroupName, key: string, name: string): boolean {
  if (group === 'mutated') return !isBlob(dump, group, key);
  const { fir, foreign } = dump.record;
  const layout = ownField((fir ?? foreign)?.tensors ?? {}, key);
  if (layout === undefined) return fir === undefined;
  const { data } = layout;
  return data !== undefined && 'file' in data && data.file === name && data.key === key;
}

/** Groups whose file holds what stands in blobs/ by the record: somebody was stopped between the two. */
function unfinishedGroups(dump: Dump): TensorGroupName[] {
  return dump.files().flatMap(({ name, group, error }) => {
    if (error !== undefined || !GROUPS.includes(group)) return [];
    const moved = dump.fileKeys(name).filter((key) => isBlob(dump, group, key));
    const areThere = ifReadable(() => {
      for (const key of moved) dump.tensor(group, key).verify({ values: true });
      return true;
    });
    return moved.length > 0 && areThere === true ? [group] : [];
  });
}

/** Storages whose views would take more by their values than as they lie. */
function crowdedStorages(tensors: readonly Candidate[]): Set<unknown> {
  const ranges = new Map<unknown, { low: number; high: number; bytes: number; seen: Set<string> }>();
  for (const { stored } of tensors) {
    const extent = extentIn(stored);
    if (extent === undefined) continue;
    const id = stored.storage ?? stored;
    const range = ranges.get(id) ?? { ...extent, bytes: 0, seen: new Set() };
    const layout = `${stored.offset}:${stored.shape}:${stored.stride}`;
    if (!range.seen.has(layout)) range.bytes += stored.byteLength;
    range.seen.add(layout);
    range.low = Math.min(range.low, extent.low);
    range.high = Math.max(range.high, extent.high);
    ranges.set(id, range);
  }
  const isCrowded = ({ low, high, bytes }: { low: number; high: number; bytes: number }): boolean =>
    bytes > EXPANSION_FACTOR * (high - low);
  return new Set([...ranges].filter(([, range]) => isCrowded(range)).map(([id]) => id));
}

function isExpanded(stored: StoredTensor): boolean {
  const extent = extentIn(stored);
  return extent === undefined || stored.byteLength > Math.ceil(extent.high - extent.low);
}

/** In bytes of the storage; undefined for what has no elements, or no place in memory. */
function extentIn({ dtype, shape, stride, offset }: StoredTensor): { low: number; high: number } | undefined {
  const bits = dtypeOf(dtype).bitsPerElement;
  const extent = bits === 0 ? undefined : ifReadable(() => extentOf(shape, stride, offset));
  if (extent === undefined) return undefined;
  return { low: (extent.low * bits) / 8, high: ((extent.high + 1) * bits) / 8 };
}

function hashOf(stored: StoredTensor): string | undefined {
  return ifReadable(() => {
    const hash = createHash('sha256');
    for (const chunk of stored.chunks()) hash.update(chunk);
    return hash.digest('hex');
  });
}

function ifReadable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof FirError) return undefined;
    throw error;
  }
}
