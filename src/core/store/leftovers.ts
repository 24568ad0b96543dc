import { rmdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { entriesOf, hasEntry } from '../session/directory.js';
import { statOf } from '../session/safe-path.js';
import { BLOB_NAME, BLOBS } from './blob-files.js';
import { DROPPED } from './drop-place.js';
import { removeDumpTree } from './dump-tree.js';
import { PRUNING } from './live-writers.js';

const PROCESSES = 'processes';
const INDEX = /^session(?:\.[^/]+)?\.jsonl$/;
const KNOWN: ReadonlySet<string> = new Set([BLOBS, PROCESSES, DROPPED, PRUNING, '.usage', 'extracted.json']);
const UNFINISHED = /^(?:session(?:\.[^/]+)?\.jsonl|\.usage)\.[\w.-]{1,64}\.tmp$/;
const UNFINISHED_BLOB = /^[0-9a-f]{64}\.[\w.-]{1,64}\.tmp$/;
const UNFINISHED_HEADER = /^[\w.-]{1,64}\.json\.[\w.-]{1,64}\.tmp$/;
/** As an extraction names the directory that it fills. */
const PARTIAL = /^\..+\.[0-9a-f]{12}\.partial$/;
/** As a rewritten index is named until it takes its place. */
const OWN_INDEX = /^session(?:\.[^/]+)?\.jsonl\.\d{1,10}\.[0-9a-f]{8}\.tmp$/;
/** An extraction that is at work writes all the time. */
const ABANDONED_MS = 60 * 60_000;

/** A file, or a directory, of a write that never ended. */
export interface Leftover {
  /** Relative to the session. */
  path: string;
  /** 0 for a directory. */
  bytes: number;
}

export interface Leftovers {
  unfinished: Leftover[];
  /** Directories of extractions that were given up. */
  partial: string[];
  /** What is no part of a session, and stays. */
  strangers: string[];
}

/** Whether a prune was stopped in the session: then there is something of it to be cleared away. */
export function hasPruneLeftovers(root: string): boolean {
  return hasEntry(root, (name) => name === PRUNING || name === DROPPED || OWN_INDEX.test(name));
}

/** Removes indexes that were written and never took their place. */
export function removeOwnIndexes(root: string): void {
  for (const { name } of [...entriesOf(root)]) if (OWN_INDEX.test(name)) removeUnfinished(root, name);
}

/** Looks through a session's directory for what no call needs; `isDump` knows the names of dumps. */
export function findLeftovers(root: string, isDump: (name: string) => boolean, now: number): Leftovers {
  const found: Leftovers = { unfinished: [], partial: [], strangers: [] };
  for (const entry of entriesOf(root)) {
    const { name } = entry;
    if (KNOWN.has(name) || INDEX.test(name) || (entry.isDirectory() && isDump(name))) continue;
    if (entry.isFile() && UNFINISHED.test(name)) addUnfinished(found, root, name);
    else if (entry.isDirectory() && PARTIAL.test(name) && isAbandoned(join(root, name), now)) {
      found.partial.push(name);
    } else found.strangers.push(name);
  }
  lookInto(root, BLOBS, UNFINISHED_BLOB, (name) => BLOB_NAME.test(name), found);
  lookInto(root, PROCESSES, UNFINISHED_HEADER, (name) => name.endsWith('.json'), found);
  return found;
}

export function removeUnfinished(root: string, path: string): void {
  if (statOf(join(root, path))?.isFile() === true) unlinkSync(join(root, path));
}

/** Removes what an extraction writes from a directory that it filled. False where something else is there, and stays. */
export function removePartial(root: string, name: string): boolean {
  const path = join(root, name);
  let isGone = true;
  for (const entry of entriesOf(path)) {
    const inner = join(path, entry.name);
    if (entry.isFile() && (entry.name === 'extracted.json' || INDEX.test(entry.name))) unlinkSync(inner);
    else if (entry.isDirectory() && (entry.name === BLOBS || entry.name === PROCESSES)) {
      isGone = removeFiles(inner, entry.name === BLOBS ? /^[0-9a-f]{64}$/ : /\.json$/) && isGone;
    } else isGone = entry.isDirectory() && removeDumpTree(inner) && isGone;
  }
  if (isGone) rmdirSync(path);
  return isGone;
}

function removeFiles(directory: string, names: RegExp): boolean {
  let isGone = true;
  for (const entry of entriesOf(directory)) {
    if (entry.isFile() && names.test(entry.name)) unlinkSync(join(directory, entry.name));
    else isGone = false;
  }
  if (isGone) rmdirSync(directory);
  return isGone;
}

function lookInto(
  root: string,
  directory: string,
  unfinished: RegExp,
  isOwn: (name: string) => boolean,
  found: Leftovers,
): void {
  if (statOf(join(root, directory))?.isDirectory() !== true) return;
  for (const entry of entriesOf(join(root, directory))) {
    const path = `${directory}/${entry.name}`;
    if (entry.isFile() && unfinished.test(entry.name)) addUnfinished(found, root, path);
    else if (!entry.isFile() || !isOwn(entry.name)) found.strangers.push(path);
  }
}

function addUnfinished({ unfinished }: Leftovers, root: string, path: string): void {
  unfinished.push({ path, bytes: statOf(join(root, path))?.size ?? 0 });
}

function isAbandoned(path: string, now: number): boolean {
  return now - (statOf(path)?.mtimeMs ?? now) > ABANDONED_MS;
}
