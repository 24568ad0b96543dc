export { type CallRanges, includesCall, parseCallRanges } from './call-ranges.js';
export { matchesPattern } from './pattern.js';
export { type CallSelection, selectCalls } from './select-calls.js';
