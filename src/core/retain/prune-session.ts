import { realpathSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { parse, sep } from 'node:path';
import { FirError } from '../errors.js';
import { Turns } from '../io/turns.js';
import { openSession, type Session } from '../session/index.js';
import { findLeftovers, hasPruneLeftovers } from '../store/leftovers.js';
import { refuseLiveWriters, withPruneClaim } from '../store/prune-claim.js';
import { carryOut } from './carry-out-prune.js';
import { chooseDumps } from './choose-dumps.js';
import { takeInventory } from './prune-inventory.js';
import type { PruneOptions, PruneReporter, PruneResult } from './prune-types.js';

/**
 * Takes calls out of a session, in its place: those that were chosen, the oldest first until what is left is within the
 * bounds, and never one that a kept call needs to be replayed. A kill at any moment leaves a session whose kept calls are
 * as they were; to prune again finishes the work.
 *
 * @throws FirError USAGE, NOT_FOUND, NOT_A_SESSION, UNSAFE_PATH, SESSION_IN_USE where somebody writes to it, IO_FAILED,
 * INTERRUPTED.
 */
export async function pruneSession(options: PruneOptions, reporter: PruneReporter): Promise<PruneResult> {
  const session = openSession(options.path);
  refuseOtherPlaces(options.path, session);
  refuseLiveWriters(session);
  const turns = new Turns(options.signal);
  const inventory = await takeInventory(session, turns, (done, total) =>
    reporter.onProgress?.('looking', done, total),
  );
  const names = new Set(inventory.dumps.map(({ name }) => name));
  const leftovers = options.orphans
    ? findLeftovers(session.realRoot, (name) => names.has(name), Date.now())
    : undefined;
  const { plan, orders } = chooseDumps(session, inventory, leftovers, options);
  const isWanted = await reporter.onPlan(plan);
  const hasWork = !plan.isEmpty || hasPruneLeftovers(session.realRoot);
  if (!isWanted || options.dryRun || !hasWork) return { plan, isDone: false, left: [] };
  const left = await withPruneClaim(session, () =>
    carryOut(session, inventory, orders, turns, (done, total) =>
      reporter.onProgress?.('dropping', done, total),
    ),
  );
  return { plan, isDone: !plan.isEmpty, left };
}

/** What was named must be the session itself, and no place where much else stands. */
function refuseOtherPlaces(path: string, { realRoot }: Session): void {
  if (!statSync(path).isDirectory() || realpathSync(path) !== realRoot) {
    throw new FirError('USAGE', `${path} is not the directory of a session`, {
      where: path,
      hint: `name the session: fir prune ${realRoot}`,
    });
  }
  const home = realHome();
  const inside = realRoot.endsWith(sep) ? realRoot : realRoot + sep;
  if (realRoot === parse(realRoot).root || realRoot === home || home?.startsWith(inside) === true) {
    throw new FirError('USAGE', `${path} holds more than a session: nothing is deleted there`, {
      where: path,
      hint: 'name a directory that is a session and nothing else',
    });
  }
}

function realHome(): string | undefined {
  try {
    return realpathSync(homedir());
  } catch {
    return undefined;
  }
}
