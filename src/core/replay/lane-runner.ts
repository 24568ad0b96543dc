import { FirError } from '../errors.js';
import type { PlanLane, PlanStep } from '../plan/replay-plan.js';
import {
  draftAfterDeath,
  draftOfDeath,
  draftOfOutcome,
  failureOf,
  withOutput,
  withRepeats,
} from './drafts.js';
import { LaneWorker } from './lane-worker.js';
import { type Draft, type ReadyCall, skipped } from './ready-call.js';
import { reasonOf } from './reason-of.js';
import { repeatCall } from './repeat-call.js';
import { repeatsFor } from './repeats.js';
import type { ReplayContext } from './replay-context.js';
import type { ReplayWorker, RunEnd } from './replay-worker.js';
import { RunAhead } from './run-ahead.js';
import { giveCall } from './run-call.js';

const FAIL_FAST = 'not run: the replay stopped at its first failure (--fail-fast)';

interface EndedRun {
  end: RunEnd;
  output: { stdout: string | undefined; stderr: string | undefined };
  draft: Draft;
}

/** Runs the steps of one lane in order, and reports those that were selected. */
export class LaneRunner {
  readonly #context: ReplayContext;
  readonly #steps: readonly PlanStep[];
  readonly #worker: LaneWorker;
  readonly #ahead: RunAhead;
  /** The file that keeps what the first run of a call gave. */
  readonly #firstRun: string;
  /** Why calls that cover others did not run to their ends. */
  readonly #unfinished = new Map<number, string>();

  constructor(context: ReplayContext, lane: PlanLane) {
    this.#context = context;
    this.#steps = lane.steps;
    this.#worker = new LaneWorker(context, lane);
    this.#firstRun = context.temporaryFile();
    this.#ahead = new RunAhead(context, lane.steps, this.#firstRun);
  }

  async run(): Promise<void> {
    try {
      for (const [index, step] of this.#steps.entries()) {
        const draft = await this.#runStep(step, index);
        if (this.#context.isEnded) return;
        if (!step.isSelected) continue;
        const { number: call, dump, functionName, pid } = this.#context.entryOf(step.call);
        await this.#context.report({ call, dump, function: functionName, pid, ...draft });
      }
    } finally {
      this.#ahead.forget();
      await this.#worker.close();
    }
  }

  async #runStep(step: PlanStep, index: number): Promise<Draft> {
    if (this.#context.isStopped) return skipped(FAIL_FAST);
    if (step.coveredBy !== undefined) return this.#covered(step.coveredBy);
    if (step.ambiguousWith !== undefined) {
      const around = `call ${step.ambiguousWith}, which was pending with the same object`;
      return this.#notRun(
        step,
        skipped(`state incomplete: it may have run inside ${around}; capture with --async-parents`),
      );
    }
    const ready = this.#ahead.ready(step.call);
    if ('draft' in ready) return this.#notRun(step, ready.draft);
    return this.#blocked(step) ?? this.#runReady(step, index, ready);
  }

  async #runReady(step: PlanStep, index: number, ready: ReadyCall): Promise<Draft> {
    const context = this.#context;
    if (step.isSelected) context.begin(ready.entry);
    const worker = await this.#ensureWorker(index);
    if (!('process' in worker)) return this.#notRun(step, worker);
    // A call whose state was rebuilt may have failed at that.
    const blocked = this.#blocked(step);
    if (blocked !== undefined) return blocked;
    this.#ahead.fill(worker, index, ready);
    const { end, output, draft: first } = await this.#runTwiceAtMost(step, index, ready, worker);
    let draft = first;
    if (end.kind !== 'outcome' || !end.outcome.ranAsRecorded) {
      context.ledger.markBroken(step.call, failureOf(draft));
      this.#unfinished.set(step.call, failureOf(draft));
    }
    const asked = context.options.repeat ?? 1;
    const times = step.isSelected ? repeatsFor(draft, asked) : 0;
    if (times > 0) {
      const runs = await repeatCall(context, await this.#worker.ensure(index), ready, this.#firstRun, times);
      draft = withRepeats(draft, runs, asked);
    }
    this.#worker.dropUnused(index);
    return withOutput(draft, output, context.options.debug);
  }

  /** Without a Python that can be used no Python call runs; what else was recorded does. */
  async #ensureWorker(index: number): Promise<ReplayWorker | Draft> {
    try {
      return await this.#worker.ensure(index);
    } catch (error) {
      if (!(error instanceof FirError) || error.code !== 'PYTHON_FAILED') throw error;
      return skipped(reasonOf(error));
    }
  }

  /**
   * Runs a call, and once more in a fresh worker where it ended one that had run others before: something that an
   * earlier call left behind may have done that, and one call is blamed alone.
   */
  async #runTwiceAtMost(
    step: PlanStep,
    index: number,
    ready: ReadyCall,
    worker: ReplayWorker,
  ): Promise<EndedRun> {
    const first = await this.#runOnce(step, ready, worker);
    const { end } = first;
    const isCertain =
      end.kind !== 'notBegun' &&
      (end.kind !== 'died' || end.error !== undefined || worker.process.runs === 1);
    if (isCertain || this.#context.isEnded) return first;
    const fresh = await this.#worker.ensure(index);
    if (this.#context.ledger.blockerOf(step.call) !== undefined) return first;
    const second = await this.#runOnce(step, ready, fresh);
    if (end.kind === 'notBegun' || second.end.kind === 'died') return second;
    return { ...second, draft: draftAfterDeath(second.draft, end.how) };
  }

  async #runOnce(step: PlanStep, ready: ReadyCall, worker: ReplayWorker): Promise<EndedRun> {
    const purpose = step.isSelected ? 'check' : 'state';
    const given =
      this.#ahead.take(step.call) ?? giveCall(this.#context, worker, ready, purpose, this.#firstRun);
    const end = await given.end();
    const output = await given.output();
    if (end.kind !== 'outcome') {
      // Those that were to follow are given to the next worker.
      this.#ahead.forget();
      return { end, output, draft: draftOfDeath(end, ready.record) };
    }
    const draft = draftOfOutcome(end.outcome);
    const notes = [...this.#context.firstTime(end.outcome.onceNotes), ...(draft.notes ?? [])];
    return { end, output, draft: notes.length === 0 ? draft : { ...draft, notes } };
  }

  #covered(root: number): Draft {
    const failure = this.#unfinished.get(root);
    if (failure !== undefined) return skipped(`inside call ${root}, which ${failure}`);
    return { verdict: 'ran', reason: `inside call ${root}`, outputs: [] };
  }

  #blocked(step: PlanStep): Draft | undefined {
    const blocker = this.#context.ledger.blockerOf(step.call);
    return blocker === undefined ? undefined : this.#notRun(step, skipped(blocker));
  }

  #notRun(step: PlanStep, draft: Draft): Draft {
    const failure = failureOf(draft);
    this.#context.ledger.markBroken(step.call, failure);
    this.#unfinished.set(step.call, failure);
    return draft;
  }
}
