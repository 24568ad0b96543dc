import type { JsonObject } from '../model/json.js';
import type { CallSelection } from '../select/index.js';
import type { CallEntry } from '../session/index.js';
import type { PruneBounds } from './prune-plan.js';
import type { NeededCall } from './types.js';

export type KeptKind = 'failed' | 'unfinished' | 'first' | 'last';

export interface PruneOptions {
  /** A session's directory. */
  path: string;
  /** What may go: all given conditions must hold. Undefined: no call, but for what is no use. */
  chosen: Pick<CallSelection, 'include' | 'exclude' | 'status' | 'untilMs'> | undefined;
  /** What never goes, `first` and `last` of each function. */
  keep: ReadonlySet<KeptKind>;
  bounds: PruneBounds;
  /** Also dumps without records, records without dumps, unreadable lines, and leftovers of unfinished writes. */
  orphans: boolean;
  /** Class to the methods of which the last call each makes an object's state. */
  stateful: Readonly<Record<string, readonly string[]>>;
  dryRun: boolean;
  /** The conditions as they were asked for; nothing is read from them. */
  asked: JsonObject;
  signal?: AbortSignal | undefined;
}

/** A dump that goes, with all its calls. */
export interface DroppedDump {
  dump: string;
  /** In session order. */
  entries: readonly CallEntry[];
  /** Of its directory and of its lines in the index. */
  bytes: number;
  /** Why it is no use; undefined for what was chosen. */
  useless: string | undefined;
}

/** What was asked for would let the call go, and it stays. */
export interface StayingCall {
  entry: CallEntry;
  reason: string;
}

/** What goes beside calls. */
export interface PlannedRepairs {
  /** Lines of the index that are no record, or of no call. */
  lines: number;
  /** Of unfinished writes; relative to the session. */
  leftovers: readonly { path: string; bytes: number }[];
  /** What is no part of a session, and stays. */
  strangers: readonly string[];
}

/** What is about to happen. */
export interface PrunePlan {
  /** Of the session as it is. */
  calls: number;
  bytes: number;
  /** The oldest first. */
  dropped: readonly DroppedDump[];
  droppedCalls: number;
  needed: readonly NeededCall[];
  staying: readonly StayingCall[];
  /** Contents under `blobs/` that nothing needs any more. */
  blobs: number;
  blobBytes: number;
  repairs: PlannedRepairs | undefined;
  bounds: PruneBounds;
  isWithinBounds: boolean;
  /** Of what will be left. */
  callsLeft: number;
  bytesLeft: number;
  /** Nothing is to be done. */
  isEmpty: boolean;
}

export interface PruneReporter {
  /** Dumps that were looked at, or dropped, and of how many. */
  onProgress?(step: 'looking' | 'dropping', done: number, total: number): void;
  /** Whether to go on; asked before anything is changed, and not for a dry run. */
  onPlan(plan: PrunePlan): Promise<boolean>;
}

export interface PruneResult {
  plan: PrunePlan;
  /** False where nothing was changed: a dry run, or the answer was no. */
  isDone: boolean;
  /** Paths, relative to the session, where something of somebody else's was left. */
  left: readonly string[];
}
