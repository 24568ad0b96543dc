import { ADAPTERS } from '../adapters/index.js';
import type { ReadyCall } from './ready-call.js';
import type { RepeatRun } from './repeats.js';
import type { ReplayContext } from './replay-context.js';
import type { ReplayWorker } from './replay-worker.js';
import { giveCall, runForState } from './run-call.js';

/**
 * Runs a call again from its recorded inputs. Where it may have changed objects, each run has a worker of its own
 * with their state built anew, so that neither the objects of the replay nor what their modules hold is disturbed.
 */
export async function repeatCall(
  context: ReplayContext,
  worker: ReplayWorker,
  call: ReadyCall,
  firstRun: string,
  times: number,
): Promise<RepeatRun[]> {
  const needsOwnState = changesState(context, call);
  const runs: RepeatRun[] = [];
  for (let time = 0; time < times && !context.isEnded; time++) {
    const run = needsOwnState
      ? await repeatAlone(context, call, firstRun)
      : await repeatIn(context, worker, call, firstRun);
    runs.push(run);
    if (run.kind !== 'ended') break;
  }
  return runs;
}

async function repeatAlone(context: ReplayContext, call: ReadyCall, firstRun: string): Promise<RepeatRun> {
  const worker = await context.startWorker(context.languageOf(call.entry));
  try {
    for (const earlier of context.plan.stateFor([call.entry.number])) {
      const failure = await runForState(context, worker, earlier);
      if (failure !== undefined) return { kind: 'impossible', why: `call ${earlier} ${failure}` };
    }
    return await repeatIn(context, worker, call, firstRun);
  } finally {
    await context.closeWorker(worker);
  }
}

async function repeatIn(
  context: ReplayContext,
  worker: ReplayWorker,
  call: ReadyCall,
  firstRun: string,
): Promise<RepeatRun> {
  const end = await giveCall(context, worker, call, 'repeat', firstRun).end();
  if (end.kind === 'notBegun') return { kind: 'impossible', why: 'its worker was gone' };
  if (end.kind === 'died') return { kind: 'died', how: `crashed: ${end.how}` };
  if (end.kind === 'timeout') return { kind: 'died', how: 'did not end in time' };
  const { verdict, differing, reason = 'its results could not be kept' } = end.outcome;
  return differing === undefined
    ? { kind: 'impossible', why: reason }
    : { kind: 'ended', verdict, differing };
}

function changesState({ plan }: ReplayContext, { entry, resolution }: ReadyCall): boolean {
  const { number, functionName } = entry;
  const uses = plan.usesOf(number);
  if (plan.makesOf(number).length > 0 || uses.some(({ rule }) => rule !== 'stateless')) return true;
  const name = resolution?.kind === 'adapter' ? resolution.adapter : undefined;
  const adapter = ADAPTERS.find((candidate) => candidate.name === name);
  // A method may end even an object that has no state.
  return uses.length > 0 && adapter !== undefined && !adapter.isStateless(functionName);
}
