export { closureOf } from './closure.js';
export { filterSession } from './filter-session.js';
export { pruneSession } from './prune-session.js';
export type {
  DroppedDump,
  KeptKind,
  PruneOptions,
  PrunePlan,
  PruneReporter,
  PruneResult,
} from './prune-types.js';
export type { FilterOptions, FilterPlan, FilterReporter, FilterResult, NeededCall } from './types.js';
