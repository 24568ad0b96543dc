import type { JsonObject } from '../model/json.js';
import type { Session } from '../session/index.js';
import type { CallStatus } from '../session/types.js';

/** A line of an index of the source that goes into the new one. */
export interface KeptLine {
  file: number;
  offset: number;
  length: number;
  dump: string;
  status: CallStatus;
  /** Number of the call whose first line it comes with, and whether it is that line. */
  anchor: number;
  isFirst: boolean;
}

/** Which dumps go along. */
export interface KeptDumps {
  /**
   * The call's number in the source; `captured` for a captured call that only its snapshots run; undefined for what
   * stays behind.
   */
  placeOf(dump: string): number | 'captured' | undefined;
  isForeign(dump: string): boolean;
}

/**
 * The lines of the dumps that are kept, in the order of the new index: the first line of each call in session order, and
 * every other line behind the first lines that it stood behind. Where lines of fir stood in another order than its calls
 * have, those of another recorder keep theirs among themselves: nesting is inferred from it.
 */
export function orderedLines(
  session: Session,
  kept: KeptDumps,
  onRecord: (line: KeptLine, value: JsonObject) => void,
): KeptLine[] {
  const lines: (KeptLine & { own: number; isForeign: boolean })[] = [];
  const begun = new Set<string>();
  /** The latest call of each file so far. */
  const latest: number[] = [];
  const isKept = (dump: string) => kept.placeOf(dump) !== undefined;
  for (const { file, offset, length, dump, status, value } of session.indexRecords(isKept)) {
    const place = kept.placeOf(dump);
    if (place === undefined) continue;
    const isFirst = place !== 'captured' && !begun.has(dump);
    if (isFirst) begun.add(dump);
    const own = place === 'captured' ? 0 : place;
    const passed = latest[file] ?? 0;
    const anchor = isFirst ? own : Math.max(own, passed);
    if (isFirst) latest[file] = Math.max(own, passed);
    const isForeign = kept.isForeign(dump);
    const line = { file, offset, length, dump, status, anchor, isFirst, own, isForeign };
    onRecord(line, value);
    lines.push(line);
  }
  /** The next foreign call of each file. */
  const next: number[] = [];
  for (const line of lines.toReversed()) {
    if (!line.isForeign) continue;
    if (line.isFirst) next[line.file] = line.anchor;
    else line.anchor = Math.max(line.own, Math.min(line.anchor, (next[line.file] ?? Infinity) - 1));
  }
  return lines.sort(
    (a, b) =>
      a.anchor - b.anchor || Number(b.isFirst) - Number(a.isFirst) || a.file - b.file || a.offset - b.offset,
  );
}
