import { SessionPlanSource } from '../plan/session-plan-source.js';
import { selectCalls } from '../select/index.js';
import type { CallEntry, Session } from '../session/index.js';
import type { Leftovers } from '../store/leftovers.js';
import { closeOver, RULES } from './closure.js';
import type { Inventory, InventoryDump } from './prune-inventory.js';
import { type PruneUnit, planPrune } from './prune-plan.js';
import type { PruneOptions, PrunePlan, StayingCall } from './prune-types.js';
import type { NeededCall } from './types.js';

/** What is to be done, by numbers of the inventory's dumps and contents. */
export interface PruneOrders {
  /** The oldest first. */
  dropped: readonly number[];
  blobs: readonly string[];
  /** Lines that are no call's go too. */
  dropsStrayLines: boolean;
  unfinished: readonly string[];
  partial: readonly string[];
}

const NO_BLOBS: readonly number[] = [];

/** Decides what goes. */
export function chooseDumps(
  session: Session,
  inventory: Inventory,
  leftovers: Leftovers | undefined,
  options: PruneOptions,
): { plan: PrunePlan; orders: PruneOrders } {
  const { dumps, blobs, strayLines, headerBytes } = inventory;
  const chosen = numbersOf(options.chosen === undefined ? [] : selectCalls(session, options.chosen));
  const kept = keptCalls(session.calls, options);
  const staying: StayingCall[] = [];
  const units = dumps.map((dump): PruneUnit => {
    const isUseless = options.orphans && dump.useless !== undefined;
    const isChosen = dump.calls.every(({ number }) => chosen.has(number) && !kept.has(number));
    const { stays } = dump;
    if (stays !== undefined && (isUseless || isChosen)) {
      for (const entry of dump.calls) staying.push({ entry, reason: stays });
    }
    return {
      calls: dump.calls.map(({ number }) => number),
      bytes: bytesOf(dump, options),
      blobs: dump.blobs.size === 0 ? NO_BLOBS : [...dump.blobs],
      isChosen: isChosen && stays === undefined,
      isUseless: isUseless && stays === undefined,
    };
  });
  const source = new SessionPlanSource(session, RULES, options.stateful);
  const selection = planPrune({
    units,
    blobBytes: blobs.map(({ bytes }) => bytes),
    otherBytes: headerBytes + (options.orphans ? 0 : strayLines.bytes),
    bounds: options.bounds,
    neededBy: (calls) => closeOver(source, calls).added,
  });
  const goes = new Set(selection.dropped);
  const unneeded = blobsWithoutUse(inventory, goes);
  const unfinished = leftovers === undefined ? [] : unfinishedFiles(dumps, goes, leftovers);
  const partial = leftovers?.partial ?? [];
  const plan: PrunePlan = {
    calls: session.calls.length,
    bytes: totalBytes(inventory),
    dropped: selection.dropped.flatMap((number) => droppedFrom(dumps[number], units[number])),
    droppedCalls: session.calls.length - selection.calls,
    needed: selection.needed.flatMap(({ call, ...why }): NeededCall[] => {
      const entry = session.calls[call - 1];
      return entry === undefined ? [] : [{ entry, ...why }];
    }),
    staying,
    blobs: unneeded.length,
    blobBytes: unneeded.reduce((sum, { bytes }) => sum + bytes, 0),
    repairs:
      leftovers === undefined
        ? undefined
        : {
            lines: strayLines.count,
            leftovers: [...unfinished, ...partial.map((path) => ({ path, bytes: 0 }))],
            strangers: leftovers.strangers,
          },
    bounds: options.bounds,
    isWithinBounds: selection.isWithinBounds,
    callsLeft: selection.calls,
    bytesLeft: selection.bytes,
    isEmpty:
      selection.dropped.length === 0 &&
      unneeded.length === 0 &&
      unfinished.length === 0 &&
      partial.length === 0 &&
      !(options.orphans && strayLines.count > 0),
  };
  const orders: PruneOrders = {
    dropped: selection.dropped,
    blobs: unneeded.map(({ sha256 }) => sha256),
    dropsStrayLines: options.orphans,
    unfinished: unfinished.map(({ path }) => path),
    partial,
  };
  return { plan, orders };
}

function numbersOf(calls: readonly CallEntry[]): Set<number> {
  return new Set(calls.map(({ number }) => number));
}

/** Numbers of the calls that never go. */
function keptCalls(calls: readonly CallEntry[], { keep }: PruneOptions): Set<number> {
  const kept = new Set<number>();
  const first = new Map<string, number>();
  const last = new Map<string, number>();
  for (const { number, status, functionName } of calls) {
    if (status === 'failed' && keep.has('failed')) kept.add(number);
    const isUnfinished = status === 'inputs_saved' || status === 'graph_capture_pending_flush';
    if (isUnfinished && keep.has('unfinished')) kept.add(number);
    if (status === 'no_record') continue;
    if (!first.has(functionName)) first.set(functionName, number);
    last.set(functionName, number);
  }
  if (keep.has('first')) for (const number of first.values()) kept.add(number);
  if (keep.has('last')) for (const number of last.values()) kept.add(number);
  return kept;
}

function bytesOf({ bytes, lineBytes, unfinished }: InventoryDump, { orphans }: PruneOptions): number {
  const extra = orphans ? unfinished.reduce((sum, file) => sum + file.bytes, 0) : 0;
  return bytes - extra + lineBytes;
}

function totalBytes({ dumps, blobs, strayLines, headerBytes }: Inventory): number {
  const own = dumps.reduce((sum, { bytes, lineBytes }) => sum + bytes + lineBytes, 0);
  return blobs.reduce((sum, { bytes }) => sum + bytes, own + strayLines.bytes + headerBytes);
}

function blobsWithoutUse({ dumps, blobs }: Inventory, goes: ReadonlySet<number>): Inventory['blobs'] {
  const isReferred = new Set<number>();
  dumps.forEach((dump, number) => {
    if (!goes.has(number)) for (const blob of dump.blobs) isReferred.add(blob);
  });
  return blobs.filter((_, number) => !isReferred.has(number));
}

/** Those of dumps that stay; a dump that goes takes its own with it. */
function unfinishedFiles(
  dumps: readonly InventoryDump[],
  goes: ReadonlySet<number>,
  { unfinished }: Leftovers,
): Leftovers['unfinished'] {
  const inDumps = dumps.flatMap(({ name, unfinished: own }, number) =>
    goes.has(number) ? [] : own.map(({ path, bytes }) => ({ path: `${name}/${path}`, bytes })),
  );
  return [...unfinished, ...inDumps];
}

function droppedFrom(dump: InventoryDump | undefined, unit: PruneUnit | undefined) {
  if (dump === undefined || unit === undefined) return [];
  const { name, calls, useless } = dump;
  return [{ dump: name, entries: calls, bytes: unit.bytes, useless: unit.isUseless ? useless : undefined }];
}
