export { type DedupeResult, dedupeSession } from './dedupe-session.js';
export { extractSession } from './extract-session.js';
export type { DumpRewriter, ExtractOptions, ExtractResult } from './types.js';
