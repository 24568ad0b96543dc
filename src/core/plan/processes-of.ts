import type { PlanCall } from './types.js';

/** Calls of each process with a selected call, in the order of their starts, up to the last selected one. */
export function processesOf(calls: readonly PlanCall[], selected: ReadonlySet<number>): PlanCall[][] {
  const byProcess = new Map<string, PlanCall[]>();
  for (const call of calls) {
    const known = byProcess.get(call.processUid);
    if (known === undefined) byProcess.set(call.processUid, [call]);
    else known.push(call);
  }
  const processes: PlanCall[][] = [];
  for (const own of byProcess.values()) {
    own.sort((a, b) => a.sequence - b.sequence || a.number - b.number);
    const last = own.findLastIndex((call) => selected.has(call.number));
    if (last >= 0) processes.push(own.slice(0, last + 1));
  }
  return processes;
}
