import { closeSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { FirError } from '../errors.js';
import type { Session } from '../session/index.js';
import { statOf } from '../session/safe-path.js';
import { findLiveWriter, PRUNING } from './live-writers.js';

/** FirError SESSION_IN_USE where somebody writes to the session, or may. */
export function refuseLiveWriters(session: Session): void {
  const writer = findLiveWriter(session);
  if (writer === undefined) return;
  throw new FirError('SESSION_IN_USE', `process ${writer.pid} ${writer.reason}`, {
    where: session.path,
    hint: 'wait until it has ended; --on-limit rotate keeps a session within limits while it is recorded',
  });
}

/**
 * Runs work that changes a session which nobody else writes to, and keeps others from changing it meanwhile: the file that
 * says so is open as long as this process works, and one that a killed process left says nothing. FirError SESSION_IN_USE.
 */
export async function withPruneClaim<T>(session: Session, work: () => Promise<T>): Promise<T> {
  refuseLiveWriters(session);
  const path = join(session.realRoot, PRUNING);
  if (statOf(path)?.isFile() === false) {
    throw new FirError('UNSAFE_PATH', `${PRUNING} is not a file`, { where: path });
  }
  const fd = openSync(path, 'a', 0o600);
  try {
    return await work();
  } finally {
    closeSync(fd);
    rmSync(path, { force: true });
  }
}
