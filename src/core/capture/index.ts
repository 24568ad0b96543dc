import { randomBytes } from 'node:crypto';
import { checkDirectory } from './check-directory.js';
import { captureEnvironment } from './environment.js';
import { runChild } from './run-child.js';
import { summariseCapture } from './summary.js';
import type { CaptureOptions, CaptureOutcome } from './types.js';

export type { CaptureOptions, CaptureOutcome, CaptureSummary } from './types.js';

const DUMP_LEVEL = 10;

/**
 * Runs a command with recording switched on and says what was recorded. The command's stdin, stdout and stderr are
 * its own. FirError COMMAND_NOT_FOUND, COMMAND_NOT_EXECUTABLE, CAPTURE_FAILED, USAGE.
 */
export async function runCapture(options: CaptureOptions): Promise<CaptureOutcome> {
  const captureId = randomBytes(8).toString('hex');
  const env = captureEnvironment(options, captureId);
  if (options.level >= DUMP_LEVEL) checkDirectory(options.directory);
  options.onStarted?.();
  const ending = await runChild(options.command, options.args, env);
  return { ...ending, summary: summariseCapture(options.directory, captureId) };
}
