import { resolve } from 'node:path';
import type { PlanObject } from '../plan/types.js';
import type { NamedObject, RunPurpose } from './protocol.js';
import { type ReadyCall, readyCall } from './ready-call.js';
import type { ReplayContext } from './replay-context.js';
import type { GivenRun, ReplayWorker } from './replay-worker.js';

/** Gives a call to a worker. `firstRun` is the file that keeps the results of its first run. */
export function giveCall(
  context: ReplayContext,
  worker: ReplayWorker,
  call: ReadyCall,
  purpose: RunPurpose,
  firstRun: string,
): GivenRun {
  const { entry, dump, resolution } = call;
  const { plan, options } = context;
  const uses = plan.usesOf(entry.number).map(nameOf);
  return worker.give(
    {
      call: entry.number,
      // The worker is in a directory of its own.
      dump: resolve(dump.path),
      kind: entry.kind,
      resolution,
      purpose,
      firstRun,
      keepResults: (options.repeat ?? 1) > 1,
      self: entry.kind === 'method' && entry.selfId !== undefined ? uses[0] : undefined,
      uses,
      makes: plan.makesOf(entry.number).map(nameOf),
    },
    dump,
    options.timeoutMs,
  );
}

/** Runs a call for the state that it leaves. What went wrong, in words that follow `call 3`; undefined where nothing did. */
export async function runForState(
  context: ReplayContext,
  worker: ReplayWorker,
  call: number,
): Promise<string | undefined> {
  const ready = readyCall(context, call);
  if ('draft' in ready) return `was not run (${ready.draft.reason})`;
  const end = await giveCall(context, worker, ready, 'state', '').end();
  if (end.kind === 'notBegun') return 'was not run (its worker was gone)';
  if (end.kind === 'died') return `crashed (${end.how}) while state was rebuilt`;
  if (end.kind === 'timeout') return 'did not end in time while state was rebuilt';
  if (end.outcome.ranAsRecorded) return undefined;
  const { reason, error } = end.outcome;
  return `failed while state was rebuilt (${reason ?? `${error?.name}: ${error?.message}`})`;
}

function nameOf({ selfId, className, key }: PlanObject): NamedObject {
  return { selfId, className, key };
}
