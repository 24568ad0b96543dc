import type { Unreadable } from '../model/session.js';

/** Entries that are kept; what comes after is counted. */
const KEPT = 1000;

/** Lines and files that were skipped. A log of garbage may have millions: the first are kept, all are counted. */
export class UnreadableList {
  readonly entries: Unreadable[] = [];
  count = 0;

  add(file: string, offset: number, reason: string): void {
    this.count += 1;
    if (this.entries.length < KEPT) this.entries.push({ file, offset, reason });
  }
}
