import type { Executor } from './contract.js';
import { nodeExecutor } from './node.js';

export { askConsent, type ConsentOptions, languageOf } from './consent.js';
export type { CodePlace, Executor, Language, PreparedCall, ReplayTarget } from './contract.js';
export { openLibrariesOf } from './libraries.js';

/** Every way to run a call, in the order in which they are asked. */
export const EXECUTORS: readonly Executor[] = [nodeExecutor];
