import { isPromise } from 'node:util/types';
import { FirError } from '../errors.js';
import type { RunOutcome } from './protocol.js';
import { reasonOf } from './reason-of.js';

export type CallEnd = { kind: 'returned'; value: unknown } | { kind: 'threw'; error: unknown };

/** Runs a call to its end. A promise is awaited; another thenable only where the recorded call was asynchronous. */
export async function invoke(
  run: () => unknown,
  awaitThenables: boolean,
): Promise<{ end: CallEnd; isAsync: boolean }> {
  let isAsync = false;
  try {
    const result = run();
    isAsync = isPromise(result) || (awaitThenables && isThenable(result));
    return { end: { kind: 'returned', value: isAsync ? await result : result }, isAsync };
  } catch (error) {
    return { end: { kind: 'threw', error }, isAsync };
  }
}

function isThenable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, 'then') === 'function';
}

/** What was thrown, as told: anything can be, also what has no text. */
export function describeThrown(thrown: unknown): { name: string; message: string; stack?: string } {
  try {
    if (!(thrown instanceof Error)) return { name: typeof thrown, message: String(thrown) };
    const { name, message, stack } = thrown;
    return { name: String(name), message: String(message), ...(typeof stack === 'string' ? { stack } : {}) };
  } catch {
    return { name: typeof thrown, message: 'something that has no text' };
  }
}

/** What went wrong before the call ran, or with its files: not the called code's doing. */
export function outcomeOfFailure(error: unknown): RunOutcome {
  const common = { outputs: [], notes: [], onceNotes: [], ranAsRecorded: false };
  if (!(error instanceof FirError)) return { verdict: 'error', error: describeThrown(error), ...common };
  const reason = reasonOf(error);
  if (error.code === 'NOT_ALLOWED')
    return { verdict: 'skipped', reason: `not allowed: ${reason}`, ...common };
  if (error.code === 'NOT_REPLAYABLE')
    return { verdict: 'skipped', reason: `not replayable: ${reason}`, ...common };
  const cause = error.cause === undefined ? {} : { error: describeThrown(error.cause) };
  return { verdict: 'error', reason, ...cause, ...common };
}
