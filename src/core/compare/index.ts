export { type BitwiseDifference, bitwiseDifference } from './bitwise.js';
export {
  type AsRule,
  type ComparisonOptions,
  defaultComparison,
  type IgnoreRule,
  type ToleranceRule,
} from './options.js';
export { compareOutput } from './output.js';
export { parseAs, parseIgnore, parseTolerance } from './rules.js';
export { summariseStrings, summariseTensor } from './statistics.js';
export type { Histogram, StringStatistics, SummaryOptions, TensorStatistics } from './statistics-types.js';
export { compareStrings, type StringTensor } from './strings.js';
export { compareTensors } from './tensors.js';
export { isIgnored, toleranceFor } from './tolerances.js';
export { compareValues } from './values.js';
