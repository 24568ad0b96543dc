import type { ObjectHistory } from './object-history.js';
import type { IndexLine } from './segment-log.js';

/** Memory of tensors, as records name it. */
export type StorageId = number | string;

/** A call of this thread whose dump stands in the session. */
export interface KeptCall {
  readonly sequence: number;
  readonly functionName: string;
  /** Name of its directory. */
  readonly dump: string;
  /** Microseconds since the epoch. */
  readonly startedAt: number;
  /** The recorded call that it ran inside. */
  readonly parent: KeptCall | undefined;
  /** The object that it is a method of. */
  readonly self: ObjectHistory | undefined;
  /** Objects that it had, `self` among them. */
  readonly uses: readonly ObjectHistory[];
  /** Memory of its arguments that it may write to, by tensor key until it has ended. */
  memory: ReadonlyMap<string, StorageId>;
  readonly writes: readonly StorageId[];
  /** Calls of the state of its objects that are gone: more than 0, and it can't be replayed. */
  readonly lostCalls: number;
  /** Calls that must stay as long as this one does. */
  readonly needs: KeptCall[];
  /** Of the calls kept, how many need this one. */
  neededBy: number;
  /** It has not ended: its files are still being written. */
  isPending: boolean;
  isDropped: boolean;
  /** Of the files in its directory. */
  bytes: number;
  /** Objects whose state it may be, while it is pending. */
  readonly pendingIn: ObjectHistory[];
  /** Objects whose state it made or changed. */
  readonly madeStateOf: ObjectHistory[];
  /** Its records in the index. */
  lines: IndexLine[];
}

/** Has `needed` stay as long as `call` does. */
export function addNeed(call: KeptCall, needed: KeptCall | undefined): void {
  if (needed === undefined || needed.isDropped || needed === call || call.needs.includes(needed)) return;
  call.needs.push(needed);
  needed.neededBy += 1;
}

/** Whether a call ran inside another one. */
export function isInside(call: KeptCall, outer: KeptCall): boolean {
  for (let at = call.parent; at !== undefined; at = at.parent) if (at === outer) return true;
  return false;
}

export function memberOf({ functionName }: KeptCall): string {
  return functionName.slice(functionName.lastIndexOf('.') + 1);
}
