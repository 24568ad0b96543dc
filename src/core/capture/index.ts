import { randomBytes } from 'node:crypto';
import { checkDirectory } from './check-directory.js';
import { captureEnvironment } from './environment.js';
import { DUMP_LEVEL, flashinferLevel } from './flashinfer-environment.js';
import { NOTHING_BEFORE, prepareDirectory, removeIfEmpty } from './prepare-directory.js';
import { runChild } from './run-child.js';
import { summariseCapture } from './summary.js';
import type { CaptureOptions, CaptureOutcome } from './types.js';

export type { CaptureOptions, CaptureOutcome, CaptureSummary, PythonSummary } from './types.js';

/**
 * Runs a command with recording switched on and says what was recorded. The command's stdin, stdout and stderr are
 * its own. FirError COMMAND_NOT_FOUND, COMMAND_NOT_EXECUTABLE, CAPTURE_FAILED, USAGE.
 */
export async function runCapture(options: CaptureOptions): Promise<CaptureOutcome> {
  const { directory, command, args } = options;
  const captureId = randomBytes(8).toString('hex');
  const env = captureEnvironment(options, captureId);
  const isRecording = options.level >= DUMP_LEVEL;
  if (isRecording) checkDirectory(directory);
  const before = isRecording ? prepareDirectory(directory) : NOTHING_BEFORE;
  options.onStarted?.(flashinferLevel(options));
  try {
    const ending = await runChild(command, args, env);
    return { ...ending, summary: summariseCapture(options, { captureId, env, before }) };
  } finally {
    removeIfEmpty(directory, before);
  }
}
