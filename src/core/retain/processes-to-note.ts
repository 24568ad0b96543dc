import type { InventoryDump } from './prune-inventory.js';

/**
 * Of a recorder that names no processes, a second process with an id is told by calls that come again. Where calls of such
 * an id go, those that stay have to say which process they belong to, lest two become one. Gives it by number of the dump, in
 * session order.
 */
export function processesToNote(
  dumps: readonly InventoryDump[],
  goes: (number: number) => boolean,
): Map<number, string> {
  const pids = new Set<number>();
  dumps.forEach((dump, number) => {
    const call = goes(number) ? dump.calls[0] : undefined;
    if (call?.recorder === 'foreign') pids.add(call.pid);
  });
  const notes = new Map<number, string>();
  if (pids.size === 0) return notes;
  dumps.forEach((dump, number) => {
    const call = dump.calls.find(({ status }) => status !== 'no_record');
    if (goes(number) || call === undefined || call.recorder !== 'foreign' || !pids.has(call.pid)) return;
    if (call.processUid !== `pid${call.pid}`) notes.set(number, call.processUid);
  });
  return notes;
}
