import type { PlanStep } from '../plan/replay-plan.js';
import { type Draft, type ReadyCall, readyCall } from './ready-call.js';
import type { ReplayContext } from './replay-context.js';
import type { GivenRun, ReplayWorker } from './replay-worker.js';
import { giveCall } from './run-call.js';

/** A worker never waits for this process while it has calls left; it is filled again at half of them. */
const MAX_AHEAD = 16;
/** Memory holds the tensors of few calls: those of large ones are not sent before their turn. */
const MAX_CALL_BYTES = 256 * 1024;

interface Prepared {
  ready: ReadyCall | { draft: Draft };
  given?: GivenRun;
}

/**
 * Gives the next calls of a lane to its worker while the one before them is compared. Only calls without objects: what
 * another call left behind decides nothing about whether they run, and what they do is undone by nothing.
 */
export class RunAhead {
  readonly #context: ReplayContext;
  readonly #steps: readonly PlanStep[];
  readonly #firstRun: string;
  readonly #prepared = new Map<number, Prepared>();

  constructor(context: ReplayContext, steps: readonly PlanStep[], firstRun: string) {
    this.#context = context;
    this.#steps = steps;
    this.#firstRun = firstRun;
  }

  /** What a worker needs to know about a call; a draft where it can't be run. */
  ready(call: number): ReadyCall | { draft: Draft } {
    const ready = this.#prepared.get(call)?.ready ?? readyCall(this.#context, call);
    if ('draft' in ready) this.#prepared.delete(call);
    return ready;
  }

  /** Gives the worker the call of the step at `index`, and what may follow at once. */
  fill(worker: ReplayWorker, index: number, current: ReadyCall): void {
    if (!worker.canRunAhead || this.#context.options.failFast) return;
    if (this.#prepared.size > MAX_AHEAD / 2) return;
    const [step, ...rest] = this.#steps.slice(index, index + MAX_AHEAD);
    if (step !== undefined && !this.#prepared.has(step.call)) this.#give(worker, step, current);
    for (const step of rest) {
      if (this.#prepared.has(step.call)) continue;
      if (!this.#isFree(step)) return;
      const ready = readyCall(this.#context, step.call);
      if ('draft' in ready) this.#prepared.set(step.call, { ready });
      else if (isSmall(ready)) this.#give(worker, step, ready);
      else return;
    }
  }

  /** The call as it was given to the worker; undefined where it was not. */
  take(call: number): GivenRun | undefined {
    const prepared = this.#prepared.get(call);
    this.#prepared.delete(call);
    return prepared?.given;
  }

  /** Lets go of what nobody waits for any more. */
  forget(): void {
    for (const { given } of this.#prepared.values()) given?.forget();
    this.#prepared.clear();
  }

  #give(worker: ReplayWorker, step: PlanStep, ready: ReadyCall): void {
    const purpose = step.isSelected ? 'check' : 'state';
    const given = giveCall(this.#context, worker, ready, purpose, this.#firstRun);
    this.#prepared.set(step.call, { ready, given });
  }

  #isFree({ call, coveredBy, ambiguousWith }: PlanStep): boolean {
    return (
      coveredBy === undefined &&
      ambiguousWith === undefined &&
      this.#context.plan.objectsOf(call).length === 0
    );
  }
}

function isSmall({ record }: ReadyCall): boolean {
  const { input_size_bytes: inputs = Number.POSITIVE_INFINITY, output_size_bytes: outputs = 0 } =
    record.tensor_info;
  return inputs + outputs <= MAX_CALL_BYTES;
}
