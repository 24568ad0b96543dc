import type { Dump } from '../session/index.js';
import type { RunOutcome, RunRequest } from './protocol.js';
import type { CallOutput, FailedRun } from './worker-process.js';

/** How a request to run a call ended. */
export type RunEnd = { kind: 'outcome'; outcome: RunOutcome } | FailedRun;

/** What runs the calls of a lane, in a process of its own. */
export interface ReplayWorker {
  readonly isAlive: boolean;
  /** Calls that it was given. */
  readonly runs: number;
  /** `dump` is the call's own, open; without a limit of the user's, the worker has its own. */
  run(request: Omit<RunRequest, 'type' | 'id'>, dump: Dump, timeoutMs: number | undefined): Promise<RunEnd>;
  /** Lets go of objects. */
  drop(keys: readonly string[]): void;
  /** What the last call wrote. */
  takeOutput(): Promise<CallOutput>;
  /** Ends the process and those that it started, at once. */
  kill(): void;
  /** Lets the process end by itself, and waits a little for that. */
  close(): Promise<void>;
}
