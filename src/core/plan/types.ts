import type { StateRule } from '../adapters/contract.js';
import type { Language } from '../executors/index.js';
import type { CallEntry } from '../session/index.js';

/** What the plan needs to know about a call and a session's index has. */
export type PlanCall = Pick<
  CallEntry,
  | 'number'
  | 'processUid'
  | 'sequence'
  | 'functionName'
  | 'status'
  | 'kind'
  | 'selfId'
  | 'selfClass'
  | 'constructs'
  | 'parent'
  | 'recorder'
>;

/** An object as a record names it. */
export interface ObjectName {
  selfId: string;
  className: string;
}

/** What only a call's record says. Reading one takes time: a fact is asked for where it counts. */
export interface CallFacts {
  /** Recorded objects anywhere in the arguments, and anywhere in the result. */
  argumentObjects: readonly ObjectName[];
  resultObjects: readonly ObjectName[];
  /** Recorded storages that a constructor was given and may keep, to write to or to see others write to. */
  keptStorages: readonly (number | string)[];
  /** Recorded storages that the call changed through its arguments, or may have changed where nobody looked. */
  changedStorages: readonly (number | string)[];
  /** The adapter that knows the function, and with it the rule of its class. */
  adapter: string | undefined;
  /** Since the epoch; `endedUs` is Infinity for a call that never ended. */
  startedUs: number;
  endedUs: number;
}

export interface PlanSource {
  calls: readonly PlanCall[];
  factsOf(call: number): CallFacts;
  /** False where the record, or a consent that was not given, says already that the call won't run. */
  isRunnable(call: number): boolean;
  languageOf(call: PlanCall): Language;
  /** Which calls make the state of a class's objects. */
  ruleOf(className: string, adapter: string | undefined): StateRule;
}

/** One object of a recorded process. Calls are positions in the order of the process. */
export interface PlanObject extends ObjectName {
  /** Unique in the session. */
  key: string;
  rule: StateRule;
  /** The call whose replay makes the object: its constructor, or the outermost call that made and returned it. */
  creator: number | undefined;
  /** Its own constructor, which the creator executes where that is another call; undefined where none was recorded. */
  constructedBy: number | undefined;
  /**
   * Completed calls that had the object as `self` or as an argument, or wrote to memory that it keeps, ascending,
   * without the creator.
   */
  touches: number[];
  /** Where a few methods make the state: the touching calls of each, ascending, and the call that executes them. */
  makers: Map<string, { position: number; root: number }[]>;
}
