import { snapshotOf } from '../flashinfer/index.js';
import type { CallTable } from './call-table.js';

/**
 * Names the processes of recorders that name none, and numbers their calls. Process ids come again: a new process is
 * one where a function's `call_sequence` comes a second time under the same id. A captured call is one call with all
 * its snapshots, whose number they repeat; rows in `isLeftOut` count for that, but get no number of their own.
 */
export function nameForeignProcesses(
  table: CallTable,
  order: Uint32Array,
  isLeftOut: (row: number) => boolean,
): void {
  const processes = new Map<number, ForeignProcess>();
  const captured = new Map<string, ForeignProcess>();
  for (const row of order) {
    if (table.isFir[row] === 1) continue;
    const pid = table.pid[row] ?? 0;
    const base = table.graphCapture[row] === 1 ? baseOf(table, row) : undefined;
    const known = base === undefined ? undefined : captured.get(base);
    const process = known ?? processOf(table, row, processes.get(pid));
    if (known === undefined) processes.set(pid, process);
    if (base !== undefined) captured.set(base, process);
    if (isLeftOut(row)) continue;
    process.calls += 1;
    table.processId[row] = table.strings.idOf(
      process.epoch === 1 ? `pid${pid}` : `pid${pid}#${process.epoch}`,
    );
    table.sequence[row] = process.calls;
  }
}

function processOf(table: CallTable, row: number, current = new ForeignProcess(1)): ForeignProcess {
  const functionId = table.functionId[row] ?? 0;
  const sequence = table.callSequence[row] ?? 0;
  if (table.status[row] === 0 || current.claim(functionId, sequence)) return current;
  const next = new ForeignProcess(current.epoch + 1);
  next.claim(functionId, sequence);
  return next;
}

function baseOf(table: CallTable, row: number): string {
  const dump = table.dumps.at(row);
  return snapshotOf(dump)?.base ?? dump;
}

class ForeignProcess {
  readonly epoch: number;
  calls = 0;
  /** By function: every sequence below `next` was seen, and those in `later`, which threads wrote out of order. */
  readonly #seen = new Map<number, { next: number; later: Set<number> }>();

  constructor(epoch: number) {
    this.epoch = epoch;
  }

  /** False where this process has had that call of the function already. */
  claim(functionId: number, sequence: number): boolean {
    let seen = this.#seen.get(functionId);
    if (seen === undefined) {
      seen = { next: 1, later: new Set() };
      this.#seen.set(functionId, seen);
    }
    if (sequence < 1) return true;
    if (sequence < seen.next || seen.later.has(sequence)) return false;
    seen.later.add(sequence);
    while (seen.later.delete(seen.next)) seen.next += 1;
    return true;
  }
}
