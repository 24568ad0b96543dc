import type { CallTable } from './call-table.js';

/**
 * Names the processes of recorders that name none, and numbers their calls. Process ids come again: a new process is
 * one where a function's `call_sequence` comes a second time under the same id.
 */
export function nameForeignProcesses(table: CallTable, order: Uint32Array): void {
  const processes = new Map<number, ForeignProcess>();
  for (const row of order) {
    if (table.isFir[row] === 1) continue;
    const pid = table.pid[row] ?? 0;
    let process = processes.get(pid);
    if (process === undefined) {
      process = new ForeignProcess(1);
      processes.set(pid, process);
    }
    const isKnown = table.status[row] !== 0;
    if (isKnown && !process.claim(table.functionId[row] ?? 0, table.callSequence[row] ?? 0)) {
      process = new ForeignProcess(process.epoch + 1);
      process.claim(table.functionId[row] ?? 0, table.callSequence[row] ?? 0);
      processes.set(pid, process);
    }
    process.calls += 1;
    table.processId[row] = table.strings.idOf(
      process.epoch === 1 ? `pid${pid}` : `pid${pid}#${process.epoch}`,
    );
    table.sequence[row] = process.calls;
  }
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
