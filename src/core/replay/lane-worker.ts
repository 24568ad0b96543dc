import type { Language } from '../executors/index.js';
import type { PlanLane, PlanStep } from '../plan/replay-plan.js';
import type { PlanObject } from '../plan/types.js';
import type { ReplayContext } from './replay-context.js';
import type { ReplayWorker } from './replay-worker.js';
import { runForState } from './run-call.js';

/** The worker of a lane: started when first needed, started again with its state rebuilt when a call has ended it. */
export class LaneWorker {
  readonly #context: ReplayContext;
  readonly #steps: readonly PlanStep[];
  readonly #language: Language;
  readonly #lastUses = new Map<string, number>();
  #worker: ReplayWorker | undefined;
  #hasStarted = false;

  constructor(context: ReplayContext, { steps, language }: PlanLane) {
    this.#context = context;
    this.#language = language;
    this.#steps = steps;
    steps.forEach(({ call, coveredBy }, index) => {
      if (coveredBy !== undefined) return;
      for (const { key } of context.plan.objectsOf(call)) this.#lastUses.set(key, index);
    });
  }

  /** A live worker whose objects are as the step at `index` needs them. FirError WORKER_FAILED. */
  async ensure(index: number): Promise<ReplayWorker> {
    for (;;) {
      if (this.#worker?.process.isAlive === true) return this.#worker;
      await this.close();
      const worker = await this.#context.startWorker(this.#language);
      this.#worker = worker;
      if (this.#context.isEnded) return worker;
      if (this.#hasStarted) await this.#rebuild(worker, index);
      this.#hasStarted = true;
    }
  }

  /** Lets go of the objects that nothing after the step at `index` uses. */
  dropUnused(index: number): void {
    const unused = this.#context.plan
      .objectsOf(this.#steps[index]?.call ?? 0)
      .filter(({ key }) => (this.#lastUses.get(key) ?? 0) <= index);
    this.#drop(unused.map(({ key }) => key));
  }

  async close(): Promise<void> {
    if (this.#worker === undefined) return;
    await this.#context.closeWorker(this.#worker);
    this.#worker = undefined;
  }

  /** Runs again, in order, what the steps that are left need; a call that fails here is left out, and what needs it is skipped. */
  async #rebuild(worker: ReplayWorker, index: number): Promise<void> {
    const { plan, ledger } = this.#context;
    const current = this.#steps[index]?.call;
    const left = this.#steps
      .slice(index)
      .filter(({ call, coveredBy }) => coveredBy === undefined && ledger.blockerOf(call) === undefined);
    const state = plan.stateFor(
      left.map(({ call }) => call),
      current,
    );
    const rebuilt: PlanObject[] = [];
    for (const call of state) {
      if (ledger.isBroken(call)) continue;
      const failure = await runForState(this.#context, worker, call);
      if (this.#context.isEnded) return;
      if (failure !== undefined) ledger.markBroken(call, failure);
      if (!worker.process.isAlive) return;
      rebuilt.push(...plan.objectsOf(call));
    }
    this.#drop(rebuilt.filter(({ key }) => (this.#lastUses.get(key) ?? 0) < index).map(({ key }) => key));
  }

  #drop(keys: readonly string[]): void {
    if (keys.length > 0 && this.#worker?.process.isAlive === true) this.#worker.drop(keys);
  }
}
