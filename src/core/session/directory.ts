import { type Dir, type Dirent, opendirSync } from 'node:fs';

/** The entries of a directory one by one, since a session may have a million; none where it can't be read. */
export function* entriesOf(path: string): Generator<Dirent> {
  let directory: Dir;
  try {
    directory = opendirSync(path, { bufferSize: 256 });
  } catch {
    return;
  }
  try {
    for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) yield entry;
  } finally {
    directory.closeSync();
  }
}

/** Whether any entry's name passes, without going on behind the first. */
export function hasEntry(path: string, test: (name: string) => boolean): boolean {
  for (const entry of entriesOf(path)) if (test(entry.name)) return true;
  return false;
}
