import type { Failure } from '../../cli/failure.js';
import type { FilterOptions, FilterReporter, FilterResult } from '../../core/retain/index.js';

/** Whether a filter only lists. */
export function writesNothing({ destination, pack }: FilterOptions): boolean {
  return destination === undefined && pack === undefined;
}

/** Tells of a filter, to its end. */
export interface FilterReport extends FilterReporter {
  end(result: FilterResult, exitCode: number): Promise<void>;
  /** The filter failed. True where the report itself tells the failure. */
  abandon(failure: Failure): Promise<boolean>;
}
