import type { Dump } from '../session/index.js';
import type { RunOutcome, RunRequest } from './protocol.js';
import type { FailedRun, WorkerProcess } from './worker-process.js';

/** How a request to run a call ended. */
export type RunEnd = { kind: 'outcome'; outcome: RunOutcome } | FailedRun;

/** What runs the calls of a lane, in a process of its own. */
export interface ReplayWorker {
  readonly process: Pick<WorkerProcess<unknown>, 'isAlive' | 'runs' | 'takeOutput' | 'kill' | 'close'>;
  /** `dump` is the call's own, open; without a limit of the user's, the worker has its own. */
  run(request: Omit<RunRequest, 'type' | 'id'>, dump: Dump, timeoutMs: number | undefined): Promise<RunEnd>;
  /** Lets go of objects. */
  drop(keys: readonly string[]): void;
}
