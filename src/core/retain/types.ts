import type { JsonObject } from '../model/json.js';
import type { CallConditions, FoundCalls } from '../select/index.js';
import type { CallEntry } from '../session/index.js';
import type { ExtractResult } from '../store/index.js';
import type { NeedKind, UnreadyCall } from './closing.js';

export interface FilterOptions {
  /** The session to take calls from. */
  path: string;
  conditions: CallConditions;
  /** The conditions as they were asked for, for the record; nothing is read from them. */
  asked: JsonObject;
  /** Brings along what the selected calls need. */
  withClosure: boolean;
  /** Class to the methods of which the last call each makes an object's state. */
  stateful: Readonly<Record<string, readonly string[]>>;
  /** The new session's directory, which must not exist. */
  destination: string | undefined;
  /** The file that holds the new session packed, which must not exist. Without it and a directory nothing is written. */
  pack?: string | undefined;
  /** Converts tensor files; absent: as they are. */
  format?: 'torch' | 'safetensors' | undefined;
  /** Puts content that is stored once back into the dumps' own files. */
  plain?: boolean;
  /** Leaves out values and texts. */
  redact?: boolean;
  signal?: AbortSignal | undefined;
}

/** A call that a selected one, or another added one, needs. */
export interface NeededCall {
  entry: CallEntry;
  neededBy: number;
  why: NeedKind;
  reason: string;
}

/** What a filter is about to do. The lists are made as they are walked. */
export interface FilterPlan {
  /** Of the session. */
  calls: number;
  selected: readonly CallEntry[];
  /** In session order; empty where the closure is left out. */
  added: readonly NeededCall[];
  /** What would have been added. */
  leftOut: readonly NeededCall[];
  /** Selected calls that will not replay as they are: the session has not what makes their objects. */
  unready: readonly UnreadyCall[];
  /** Selected calls that will not replay, or not as they did, without what is left out. */
  deprived: readonly number[];
  unreadable: FoundCalls['unreadable'];
}

export interface FilterReporter {
  /** Calls that were looked at, or written, and of how many. */
  onProgress?(step: 'looking' | 'writing', done: number, total: number): void;
  onPlan?(plan: FilterPlan): void | Promise<void>;
}

export interface FilterResult {
  plan: FilterPlan;
  /** Bytes of the session that was read; undefined where nothing was written or that is too large to be counted. */
  bytesBefore: number | undefined;
  /** Undefined where nothing was written. */
  written: ExtractResult | undefined;
  /** Bytes of the pack; undefined where there is none. */
  packedBytes: number | undefined;
}
