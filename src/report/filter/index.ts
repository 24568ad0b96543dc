import { loadPaint } from '../../cli/colour.js';
import type { FilterOptions } from '../../core/retain/index.js';
import { loadSteps } from '../progress.js';
import { stdoutSink } from '../sink.js';
import type { FilterReport } from './contract.js';
import { FilterJson } from './json.js';
import { FilterText } from './text.js';

export type { FilterReport } from './contract.js';

/** The report on stdout. */
export async function createFilterReport(
  options: FilterOptions,
  { json }: { json: boolean },
): Promise<FilterReport> {
  if (json) return new FilterJson(stdoutSink(), options);
  return new FilterText(
    stdoutSink(),
    await loadPaint(process.stdout, process.env),
    options,
    await loadSteps(),
  );
}
