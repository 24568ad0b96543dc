import { constants } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { CommandExit } from './failure.js';

/** Node takes this one for its inspector and would live on. */
const OWN_USE = new Set<NodeJS.Signals>(['SIGUSR1', 'SIGPIPE']);
const DELIVERY_MS = 1000;

/**
 * Ends this process by a signal, so that whoever waits for it sees what the child died of; where the signal does
 * not end it, exits as a shell would tell it: 128 and the signal's number.
 */
export async function dieBy(signal: NodeJS.Signals): Promise<never> {
  if (!OWN_USE.has(signal)) {
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
    await setTimeout(DELIVERY_MS);
  }
  throw new CommandExit(128 + constants.signals[signal]);
}
