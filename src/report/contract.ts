import type { Failure } from '../cli/failure.js';
import type { Reporter } from '../core/model/reporter.js';

/** A reporter that owns a destination, which it completes however the replay ends. */
export interface ReportWriter extends Reporter {
  readonly name: string;
  /**
   * The replay failed before `onEnd`: what was begun is made whole, and the destination closed. True where the
   * report itself tells the failure.
   */
  abandon(failure: Failure): Promise<boolean>;
}
