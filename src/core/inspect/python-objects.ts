import type { CallEntry } from '../session/index.js';
import { shellWord } from '../shell-word.js';

/** Which objects of foreign processes a session constructs, and by which call the first time. */
export type ConstructedObjects = ReadonlyMap<string, number>;

export function findConstructed(calls: readonly CallEntry[]): ConstructedObjects {
  const constructed = new Map<string, number>();
  for (const call of calls) {
    if (call.recorder === 'fir' || !call.constructs || call.selfId === undefined) continue;
    const key = objectKey(call, call.selfId, classOf(call));
    if (!constructed.has(key)) constructed.set(key, call.number);
  }
  return constructed;
}

/** Whether a call before this one, of the same process, constructs the object. */
export function isConstructedBefore(
  constructed: ConstructedObjects,
  call: CallEntry,
  selfId: number | bigint,
  className: string,
): boolean {
  const by = constructed.get(objectKey(call, selfId, className));
  return by !== undefined && by < call.number;
}

/** FlashInfer names few classes in its functions' names; of the others the text of the object tells the class. */
export function classOf({ selfClass, functionName }: CallEntry): string {
  return selfClass ?? functionName.slice(0, Math.max(0, functionName.lastIndexOf('.')));
}

/** What was missing, and the pattern of a recording that would have kept it. */
export function constructorReason(className: string, selfId: number | bigint, pattern: string): string {
  return (
    `the constructor of its object (${className}, self_id ${selfId}) was not recorded; ` +
    `record it with FLASHINFER_DUMP_INCLUDE=${shellWord(pattern)}`
  );
}

function objectKey({ processUid }: CallEntry, selfId: number | bigint, className: string): string {
  return `${processUid} ${selfId} ${className}`;
}
