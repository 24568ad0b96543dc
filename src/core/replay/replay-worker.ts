import type { Dump } from '../session/index.js';
import type { RunOutcome, RunRequest } from './protocol.js';
import type { CallOutput, FailedRun, WorkerProcess } from './worker-process.js';

/** How a request to run a call ended. */
export type RunEnd = { kind: 'outcome'; outcome: RunOutcome } | FailedRun;

/** A call that a worker was given. */
export interface GivenRun {
  /** Waits for the call's end, and judges it. Asked for once. */
  end(): Promise<RunEnd>;
  /** What it wrote to stdout and stderr. */
  output(): Promise<CallOutput>;
  /** Lets go of what it holds, where nobody will ask for its end. */
  forget(): void;
}

/** What runs the calls of a lane, in a process of its own. */
export interface ReplayWorker {
  readonly process: Pick<WorkerProcess<unknown>, 'isAlive' | 'runs' | 'kill' | 'close'>;
  /** Whether calls may be given to it before those in front of them have been judged. */
  readonly canRunAhead: boolean;
  /** `dump` is the call's own, open; without a limit of the user's, the worker has its own. */
  give(request: Omit<RunRequest, 'type' | 'id'>, dump: Dump, timeoutMs: number | undefined): GivenRun;
  /** Lets go of objects. */
  drop(keys: readonly string[]): void;
}
