import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** More files are not counted: that would take longer than what it is worth knowing for. */
const MOST_ENTRIES = 100_000;

/** Bytes of all files in a directory and those below it; undefined where there are too many. Links are not followed. */
export function treeBytes(directory: string): number | undefined {
  let bytes = 0;
  let entries = 0;
  const waiting = [directory];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    for (const entry of entriesOf(path)) {
      entries += 1;
      if (entries > MOST_ENTRIES) return undefined;
      if (entry.isDirectory()) waiting.push(join(path, entry.name));
      else if (entry.isFile())
        bytes += statSync(join(path, entry.name), { throwIfNoEntry: false })?.size ?? 0;
    }
  }
  return bytes;
}

/** None of a directory that was removed meanwhile, or can't be read. */
function entriesOf(path: string) {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch {
    return [];
  }
}
