import type { CallResult, ReplaySummary } from './verdict.js';

/** What a replay is about to do, told once before its first call. */
export interface ReplayBegin {
  /** The session's path as the user gave it. */
  session: string;
  /** Where tensors are rehydrated: `cpu`, `cuda:0`. */
  device: string;
  /** The tolerance preset in force. */
  preset: string;
  /** Calls that will be reported, skipped ones included. */
  calls: number;
  /** Said once, fails nothing: another package version, the recorded root as the hint for --app. */
  notes?: string[];
}

/** A call that is about to run. */
export interface CallBegin {
  call: number;
  dump: string;
  function: string;
  pid: number;
}

/**
 * Tells somebody about a replay. Every hook is optional. Calls are reported in the order in which they end;
 * a hook that returns a promise is awaited, so that a slow sink holds the replay back instead of filling memory.
 */
export interface Reporter {
  onBegin?(begin: ReplayBegin): void | Promise<void>;
  onCallBegin?(call: CallBegin): void;
  onCallEnd?(result: CallResult): void | Promise<void>;
  onEnd?(summary: ReplaySummary): void | Promise<void>;
}
