import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const DUMP = /^\d{8}_\d{6}_\d{3}_pid\d+_/;

/** The names of the dumps in a session. */
export function dumpsIn(session: string): Set<string> {
  return new Set(namesIn(session).filter((name) => DUMP.test(name)));
}

/** What a session takes at this moment, as the file system has it. */
export function takenBy(session: string): { calls: number; bytes: number } {
  let calls = 0;
  let bytes = 0;
  for (const name of namesIn(session)) {
    if (DUMP.test(name)) {
      calls += 1;
      for (const file of namesIn(join(session, name))) bytes += sizeOf(join(session, name, file));
    } else if (name.startsWith('session.')) bytes += sizeOf(join(session, name));
  }
  return { calls, bytes };
}

/** A directory that is there no more has nothing in it. */
export function namesIn(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function sizeOf(path: string): number {
  return lstatSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
