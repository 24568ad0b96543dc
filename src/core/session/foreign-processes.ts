import { snapshotOf } from '../flashinfer/index.js';
import type { CallTable } from './call-table.js';

/**
 * Names the processes of recorders that name none, and numbers their calls. Process ids come again: a new process is
 * one where a function's `call_sequence` comes a second time under the same id; a name that fir noted in the record
 * counts before that. A captured call is one call with all its snapshots, whose number they repeat; rows in `isLeftOut`
 * count for that, but get no number of their own.
 */
export function nameForeignProcesses(
  table: CallTable,
  order: Uint32Array,
  isLeftOut: (row: number) => boolean,
): void {
  const inferred = new Map<number, Inferred>();
  const captured = new Map<string, string>();
  const latest = new Map<number, string>();
  const calls = new Map<string, number>();
  for (const row of order) {
    if (table.isFir[row] === 1) continue;
    const pid = table.pid[row] ?? 0;
    const base = table.graphCapture[row] === 1 ? baseOf(table, row) : undefined;
    const known = table.processOf(row) ?? (base === undefined ? undefined : captured.get(base));
    const name =
      known ?? (table.status[row] === 0 ? latest.get(pid) : undefined) ?? infer(table, row, inferred);
    latest.set(pid, name);
    if (base !== undefined) captured.set(base, name);
    if (isLeftOut(row)) continue;
    const sequence = (calls.get(name) ?? 0) + 1;
    calls.set(name, sequence);
    table.processId[row] = table.strings.idOf(name);
    table.sequence[row] = sequence;
  }
}

function infer(table: CallTable, row: number, processes: Map<number, Inferred>): string {
  const pid = table.pid[row] ?? 0;
  let process = processes.get(pid) ?? new Inferred(1);
  const functionId = table.functionId[row] ?? 0;
  const sequence = table.callSequence[row] ?? 0;
  if (table.status[row] !== 0 && !process.claim(functionId, sequence)) {
    process = new Inferred(process.epoch + 1);
    process.claim(functionId, sequence);
  }
  processes.set(pid, process);
  return process.epoch === 1 ? `pid${pid}` : `pid${pid}#${process.epoch}`;
}

function baseOf(table: CallTable, row: number): string {
  const dump = table.dumps.at(row);
  return snapshotOf(dump)?.base ?? dump;
}

class Inferred {
  readonly epoch: number;
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
