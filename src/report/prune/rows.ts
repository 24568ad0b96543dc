import { printable } from '../../cli/printable.js';
import type { DroppedDump, PrunePlan } from '../../core/retain/index.js';

/** Dumps in a row that go for one reason: a long session would be pages of the same line. */
export interface DroppedRow {
  /** `3`, `3-8`, or `3, 7` for the snapshots of one dump. */
  calls: string;
  function: string;
  bytes: number;
  /** Empty for what was chosen. */
  why: string;
}

/** What goes, in session order, printable. */
export function* rowsOf({ dropped }: PrunePlan): Generator<DroppedRow> {
  let open: Run | undefined;
  const ordered = [...dropped].sort((a, b) => firstOf(a) - firstOf(b));
  for (const dump of ordered) {
    const row = rowOf(dump);
    if (open !== undefined && isNext(open, row)) {
      open.numbers.push(...row.numbers);
      open.bytes += row.bytes;
    } else {
      if (open !== undefined) yield shown(open);
      open = row;
    }
  }
  if (open !== undefined) yield shown(open);
}

interface Run extends Omit<DroppedRow, 'calls'> {
  numbers: number[];
}

function isNext(run: Run, next: Run): boolean {
  const isRow = isConsecutive(run.numbers) && isConsecutive(next.numbers);
  return (
    isRow &&
    next.numbers[0] === (run.numbers.at(-1) ?? 0) + 1 &&
    next.function === run.function &&
    next.why === run.why
  );
}

function isConsecutive(numbers: readonly number[]): boolean {
  return (numbers.at(-1) ?? 0) - (numbers[0] ?? 0) === numbers.length - 1;
}

function shown({ numbers, ...row }: Run): DroppedRow {
  const [first = 0] = numbers;
  const last = numbers.at(-1) ?? first;
  const range = first === last ? String(first) : `${first}-${last}`;
  return { ...row, calls: isConsecutive(numbers) ? range : numbers.join(', ') };
}

function rowOf({ dump, entries, bytes, useless }: DroppedDump): Run {
  const [first] = entries;
  return {
    numbers: entries.map(({ number }) => number),
    function: printable(first?.functionName || dump),
    bytes,
    why: useless === undefined ? '' : printable(useless),
  };
}

function firstOf({ entries }: DroppedDump): number {
  return entries[0]?.number ?? 0;
}
