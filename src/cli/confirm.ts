import { createInterface } from 'node:readline/promises';
import { FirError } from '../core/errors.js';

/** Whether there is somebody to ask, and a place to ask them. */
export function canAsk(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

/** Asks on the terminal: only `y` and `yes` are one. FirError INTERRUPTED. */
export async function confirm(question: string, signal: AbortSignal): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  // An input that ends gives no answer, which is none that agrees.
  const ended = new Promise<string>((resolve) => terminal.once('close', () => resolve('')));
  const interrupted = new Promise<never>((_, reject) => {
    terminal.once('SIGINT', () => {
      reject(new FirError('INTERRUPTED', 'interrupted'));
    });
  });
  try {
    const answer = await Promise.race([
      terminal.question(`${question} [y/N] `, { signal }),
      ended,
      interrupted,
    ]);
    return /^y(?:es)?$/i.test(answer.trim());
  } finally {
    terminal.close();
  }
}
