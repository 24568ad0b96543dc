import { FirError } from '../core/errors.js';
import { CommandExit, EXIT_INTERRUPTED, ToldFailure } from './failure.js';

const EXIT_TERMINATED = 143;

/** Until a command takes over, SIGINT ends `fir` at once. */
export function exitWhenInterrupted(): void {
  process.on('SIGINT', exitInterrupted);
}

/** From here on a signal does what the caller, or the system, makes of it. */
export function takeOverInterrupts(): void {
  process.off('SIGINT', exitInterrupted);
}

/**
 * Runs work that ends early, but in order, when it is told to stop: the first SIGINT or SIGTERM aborts the signal that
 * it was given, a second one ends the process at once. A run that was stopped exits with 130, or 143 for SIGTERM,
 * whatever it returned.
 */
export async function untilInterrupted<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let exitCode = 0;
  const stopWith = (code: number) => () => {
    if (controller.signal.aborted) process.exit(code);
    exitCode = code;
    controller.abort();
  };
  const onInterrupt = stopWith(EXIT_INTERRUPTED);
  const onTerminate = stopWith(EXIT_TERMINATED);
  takeOverInterrupts();
  process.on('SIGINT', onInterrupt);
  process.on('SIGTERM', onTerminate);
  try {
    const result = await work(controller.signal);
    if (controller.signal.aborted) throw new CommandExit(exitCode);
    return result;
  } catch (thrown) {
    if (!controller.signal.aborted || thrown instanceof CommandExit) throw thrown;
    if (thrown instanceof ToldFailure) throw new CommandExit(exitCode);
    throw new FirError('INTERRUPTED', 'interrupted', { cause: thrown });
  } finally {
    process.off('SIGINT', onInterrupt);
    process.off('SIGTERM', onTerminate);
  }
}

function exitInterrupted(): void {
  process.exit(EXIT_INTERRUPTED);
}
