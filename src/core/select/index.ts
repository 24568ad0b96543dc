export { type CallRanges, includesCall, parseCallRanges } from './call-ranges.js';
export { type CallConditions, type FoundCalls, findCalls } from './find-calls.js';
export { parseShape } from './parse-shape.js';
export { parseSize } from './parse-size.js';
export { parseDuration, parseMoment } from './parse-time.js';
export { matchesPattern } from './pattern.js';
export { parseVerdicts } from './replay-verdicts.js';
export { type CallSelection, selectCalls } from './select-calls.js';
