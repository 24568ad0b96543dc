import { loadPaint } from '../../cli/colour.js';
import type { Failure } from '../../cli/failure.js';
import type { PruneOptions, PrunePlan, PruneReporter, PruneResult } from '../../core/retain/index.js';
import { loadSteps } from '../progress.js';
import { stdoutSink } from '../sink.js';
import { PruneJson } from './json.js';
import { PruneText } from './text.js';

/** Tells of a prune, to its end. */
export interface PruneReport extends Pick<PruneReporter, 'onProgress'> {
  plan(plan: PrunePlan): Promise<void>;
  end(result: PruneResult, exitCode: number): Promise<void>;
  /** The prune failed. True where the report itself tells the failure. */
  abandon(failure: Failure): Promise<boolean>;
}

/** The report on stdout. */
export async function createPruneReport(
  options: PruneOptions,
  { json }: { json: boolean },
): Promise<PruneReport> {
  if (json) return new PruneJson(stdoutSink(), options);
  return new PruneText(
    stdoutSink(),
    await loadPaint(process.stdout, process.env),
    options,
    await loadSteps(),
  );
}
