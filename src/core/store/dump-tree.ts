import { type Dirent, lstatSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { flushNumber, GRAPH_FLUSHES, OLD_METADATA } from '../flashinfer/index.js';
import { METADATA, TENSOR_FILE } from '../session/dump-scan.js';

/** A dump's hold on content under `blobs/`: the same file, so that it takes no room of its own. */
const HOLD = /^([0-9a-f]{64})\.blob$/;
/** A file that somebody was writing beside its place when it was stopped. */
const UNFINISHED =
  /^(?:(?:inputs|outputs|mutated)\.(?:safetensors|pt)|metadata\.jsonl?|[0-9a-f]{64}\.blob)\.[\w.-]{1,64}\.tmp$/;

/** What stands in a dump's directory, and in those of its snapshots. Sizes in bytes. */
export interface DumpTree {
  /** Of the dump's own files, unfinished ones included. */
  bytes: number;
  /** Contents under `blobs/` that it holds, by SHA-256. */
  holds: string[];
  /** Files of unfinished writes, relative to the dump. */
  unfinished: { path: string; bytes: number }[];
  /** The first thing there that no recorder writes, relative to the dump. */
  stranger: string | undefined;
}

/** Looks at a dump without following a link. `path` is a directory. */
export function readDumpTree(path: string): DumpTree {
  const tree: DumpTree = { bytes: 0, holds: [], unfinished: [], stranger: undefined };
  walk(path, 'dump', '', {
    onFile(file, name, relative) {
      const held = HOLD.exec(name)?.[1];
      if (held !== undefined) {
        tree.holds.push(held);
        return;
      }
      const bytes = lstatSync(file, { throwIfNoEntry: false })?.size ?? 0;
      tree.bytes += bytes;
      if (UNFINISHED.test(name)) tree.unfinished.push({ path: relative, bytes });
    },
    onStranger(relative) {
      tree.stranger ??= relative;
    },
    onEnd: () => undefined,
  });
  return tree;
}

/** Removes what a dump consists of, and nothing else. False where something else is there: its directory stays. */
export function removeDumpTree(path: string): boolean {
  let isGone = true;
  walk(path, 'dump', '', {
    onFile: (file) => unlinkSync(file),
    onStranger() {
      isGone = false;
    },
    onEnd(directory) {
      if (isGone) rmdirSync(directory);
    },
  });
  return isGone;
}

interface Visitor {
  onFile(path: string, name: string, relative: string): void;
  onStranger(relative: string): void;
  /** After all that is in the directory. */
  onEnd(directory: string): void;
}

/** A dump may hold `graph_flushes/`, which holds one directory of the same files for each snapshot. */
type Level = 'dump' | 'flushes' | 'flush';

function walk(directory: string, level: Level, prefix: string, visitor: Visitor): void {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    const relative = `${prefix}${entry.name}`;
    const inner = innerLevel(entry, level);
    if (inner !== undefined) walk(path, inner, `${relative}/`, visitor);
    else if (level !== 'flushes' && isDumpFile(entry)) visitor.onFile(path, entry.name, relative);
    else visitor.onStranger(relative);
  }
  visitor.onEnd(directory);
}

function innerLevel(entry: Dirent, level: Level): Level | undefined {
  if (!entry.isDirectory()) return undefined;
  if (level === 'dump' && entry.name === GRAPH_FLUSHES) return 'flushes';
  return level === 'flushes' && flushNumber(entry.name) !== undefined ? 'flush' : undefined;
}

/** Of a link with such a name only the link itself is ever touched. */
function isDumpFile(entry: Dirent): boolean {
  const { name } = entry;
  if (!entry.isFile() && !entry.isSymbolicLink()) return false;
  return (
    name === METADATA ||
    name === OLD_METADATA ||
    TENSOR_FILE.test(name) ||
    HOLD.test(name) ||
    UNFINISHED.test(name)
  );
}
