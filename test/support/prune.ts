// Prunes as the command does, with everything that a test does not ask for left out.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type PruneOptions,
  type PrunePlan,
  type PruneResult,
  pruneSession,
} from '../../src/core/retain/index.js';

/** Larger than any process id. */
export const NO_PID = 5_000_000;

export type PruneWish = Partial<Omit<PruneOptions, 'path' | 'keep'>> & { keep?: readonly string[] };

function pruneOptions(path: string, { keep = [], ...wish }: PruneWish): PruneOptions {
  return {
    path,
    chosen: {},
    bounds: {},
    orphans: false,
    stateful: {},
    dryRun: false,
    asked: {},
    ...wish,
    keep: new Set(keep) as PruneOptions['keep'],
  };
}

/** `onPlan` may look at what is about to happen, or change the session before it does. */
export function prune(
  path: string,
  wish: PruneWish,
  onPlan: (plan: PrunePlan) => boolean | undefined = () => true,
): Promise<PruneResult> {
  return pruneSession(pruneOptions(path, wish), { onPlan: async (plan) => onPlan(plan) !== false });
}

export function linesOf(session: string, name = 'session.jsonl'): string[] {
  return readFileSync(join(session, name), 'utf8').split('\n').filter(Boolean);
}

/** Everything in a session, its directories' entries below them. */
export function entriesIn(session: string): string[] {
  return readdirSync(session, { recursive: true, encoding: 'utf8' }).sort();
}
