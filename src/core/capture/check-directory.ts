import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { FirError } from '../errors.js';

/**
 * Checks, without making anything, that a session can be written there: a command that takes hours should not learn
 * only at its end that nothing was recorded. FirError CAPTURE_FAILED.
 */
export function checkDirectory(directory: string): void {
  const place = nearestExisting(directory);
  const problem = problemOf(place);
  if (problem === undefined) return;
  throw new FirError('CAPTURE_FAILED', `the session can't be written to ${directory}: ${place} ${problem}`, {
    hint: 'name another directory with --dir',
    where: place,
  });
}

function nearestExisting(directory: string): string {
  for (let place = directory; ; place = dirname(place)) {
    if (existsSync(place) || place === dirname(place)) return place;
  }
}

function problemOf(place: string): string | undefined {
  if (!statSync(place).isDirectory()) return 'is not a directory';
  try {
    accessSync(place, constants.W_OK | constants.X_OK);
    return undefined;
  } catch {
    return 'is not writable';
  }
}
