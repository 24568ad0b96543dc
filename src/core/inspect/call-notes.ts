import type { Dump } from '../session/index.js';

const SHOWN_NAMES = 10;

/** What is to be said of a call's files beside their tensors. */
export function callNotes(dump: Dump): string[] {
  const notes: string[] = [];
  for (const { name, group, foreignGlobals, error } of dump.files()) {
    notes.push(...globalsNote(name, foreignGlobals));
    // Where the record names tensors of the file, each of them says so.
    if (error !== undefined && dump.keys(group).length === 0) {
      notes.push(`${name} can't be read: ${error.message}`);
    }
  }
  return notes;
}

/** What a .pt file's pickle names beside tensors. */
export function globalsNote(name: string, foreignGlobals: readonly string[]): string[] {
  if (foreignGlobals.length === 0) return [];
  const shown = foreignGlobals.slice(0, SHOWN_NAMES).join(', ');
  const hidden = foreignGlobals.length - SHOWN_NAMES;
  return [`${name} names ${shown}${hidden > 0 ? ` and ${hidden} more` : ''} (not run)`];
}
