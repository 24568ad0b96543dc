import { existsSync, mkdirSync, readdirSync, rmdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { FirError, messageOf } from '../errors.js';
import { AppendLog } from '../session/append-log.js';

/** What stood in the session directory when the program was about to start. */
export interface PreparedDirectory {
  readonly names: ReadonlySet<string>;
  /** The topmost directory that had to be made. */
  readonly made: string | undefined;
}

export const NOTHING_BEFORE: PreparedDirectory = { names: new Set(), made: undefined };

/**
 * Makes the session directory, for its owner alone: FlashInfer's recorder would make one that everybody may read. It
 * also appends to the index without a look at its end, so a record that a crash tore there gets its newline now.
 * FirError CAPTURE_FAILED.
 */
export function prepareDirectory(directory: string): PreparedDirectory {
  try {
    const made = mkdirSync(directory, { recursive: true, mode: 0o700 });
    const index = join(directory, 'session.jsonl');
    if (existsSync(index)) endLastLine(index);
    return { names: new Set(readdirSync(directory)), made };
  } catch (error) {
    throw new FirError(
      'CAPTURE_FAILED',
      `the session can't be written to ${directory}: ${messageOf(error)}`,
      {
        hint: 'name another directory with --dir',
        where: directory,
        cause: error,
      },
    );
  }
}

/** Takes away again what was made for a program that recorded nothing. */
export function removeIfEmpty(directory: string, { made }: PreparedDirectory): void {
  if (made === undefined) return;
  try {
    for (let path = directory; path.length >= made.length; path = dirname(path)) rmdirSync(path);
  } catch {
    // It holds something.
  }
}

function endLastLine(index: string): void {
  const log = new AppendLog(index);
  try {
    log.append(new Uint8Array());
  } finally {
    log.close();
  }
}
