import { ADAPTERS } from '../adapters/index.js';
import { LaneWorker } from './lane-worker.js';
import type { PlanLane, PlanStep } from './plan.js';
import type { RunPhase } from './protocol.js';
import { type Draft, type ReadyCall, readyCall, skipped } from './ready-call.js';
import { foldRepeats, type RepeatRun, repeatsFor } from './repeats.js';
import type { ReplayContext } from './replay-context.js';
import type { RunEnd } from './worker-handle.js';

const SHOWS_OUTPUT = new Set(['mismatch', 'error', 'crashed', 'timeout', 'unstable']);

/** Runs the steps of one lane in order, and reports those that were selected. */
export class LaneRunner {
  readonly #context: ReplayContext;
  readonly #steps: readonly PlanStep[];
  readonly #worker: LaneWorker;
  /** Why calls that cover others did not run to their ends. */
  readonly #unfinished = new Map<number, string>();
  #lastScope = 0;

  constructor(context: ReplayContext, lane: PlanLane) {
    this.#context = context;
    this.#steps = lane.steps;
    this.#worker = new LaneWorker(context, lane.steps);
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
      await this.#worker.close();
    }
  }

  async #runStep(step: PlanStep, index: number): Promise<Draft> {
    if (this.#context.isStopped)
      return skipped('not run: the replay stopped at its first failure (--fail-fast)');
    if (step.coveredBy !== undefined) return this.#covered(step.coveredBy);
    if (step.ambiguousWith !== undefined) {
      const reason = `it may have run inside call ${step.ambiguousWith}, which was pending with the same object; capture with --async-parents`;
      return this.#notRun(step, skipped(`state incomplete: ${reason}`));
    }
    const ready = readyCall(this.#context, step.call);
    if ('draft' in ready) return this.#notRun(step, ready.draft);
    return this.#blocked(step) ?? this.#runReady(step, index, ready);
  }

  async #runReady(step: PlanStep, index: number, ready: ReadyCall): Promise<Draft> {
    if (step.isSelected) this.#context.begin(ready.entry);
    await this.#worker.ensure(index);
    // A call whose state was rebuilt may have failed at that.
    const blocked = this.#blocked(step);
    if (blocked !== undefined) return blocked;
    const asked = this.#context.options.repeat ?? 1;
    const end = await this.#worker.run(ready, step.isSelected ? 'check' : 'state', 0, asked > 1);
    const draft = await this.#draftFrom(ready, end);
    if (end.kind !== 'outcome' || !end.outcome.ranAsRecorded) {
      this.#context.ledger.markBroken(step.call, failureOf(draft));
      this.#unfinished.set(step.call, failureOf(draft));
    }
    this.#worker.dropUnused(index);
    return draft;
  }

  async #draftFrom(ready: ReadyCall, end: RunEnd): Promise<Draft> {
    let draft: Draft;
    if (end.kind === 'outcome') {
      const { notes, onceNotes, ranAsRecorded: _, differing: __, ...outcome } = end.outcome;
      const all = [...this.#context.firstTime(onceNotes), ...notes];
      draft = { ...outcome, ...(all.length === 0 ? {} : { notes: all }) };
      const output = await this.#worker.takeOutput();
      const repeats = repeatsFor(outcome, this.#context.options.repeat ?? 1);
      if (repeats > 0)
        draft = withRepeats(draft, await this.#repeat(ready, repeats), this.#context.options.repeat);
      return this.#withOutput(draft, output);
    }
    const isReproduced = end.kind === 'died' && ready.record.execution_status === 'inputs_saved';
    draft = {
      verdict: end.kind === 'died' ? 'crashed' : 'timeout',
      reason:
        end.kind === 'died'
          ? `${end.error === undefined ? end.how : `uncaught ${end.error.name}: ${end.error.message}`}${inPhase(end.phase)}`
          : `did not end in time${inPhase(end.phase)}`,
      outputs: [],
      ...(isReproduced ? { reproduced: true } : {}),
      ...(end.kind === 'died' && end.error !== undefined ? { error: end.error } : {}),
    };
    return this.#withOutput(draft, await this.#worker.takeOutput());
  }

  /** Runs a call again from its recorded inputs; with its objects rebuilt where their state could have changed. */
  async #repeat(ready: ReadyCall, times: number): Promise<RepeatRun[]> {
    const { plan } = this.#context;
    const { number: call } = ready.entry;
    const needsOwnObjects = this.#changesState(ready) || plan.makesOf(call).length > 0;
    const state = needsOwnObjects
      ? plan
          .stateFor([call])
          .filter((earlier) => plan.objectsOf(earlier).some(({ rule }) => rule !== 'stateless'))
      : [];
    const runs: RepeatRun[] = [];
    for (let time = 0; time < times && this.#worker.isAlive; time++) {
      const scope = needsOwnObjects ? ++this.#lastScope : 0;
      const run = await this.#repeatOnce(ready, state, scope);
      runs.push(run);
      if (scope > 0) this.#worker.dropScope(scope);
      if (run.kind !== 'ended') break;
    }
    return runs;
  }

  async #repeatOnce(ready: ReadyCall, state: readonly number[], scope: number): Promise<RepeatRun> {
    for (const call of state) {
      const failure = await this.#worker.runForState(call, scope);
      if (failure !== undefined) return { kind: 'impossible', why: `call ${call} ${failure}` };
    }
    const end = await this.#worker.run(ready, 'repeat', scope);
    if (end.kind === 'died') return { kind: 'died', how: `crashed: ${end.how}` };
    if (end.kind === 'timeout') return { kind: 'died', how: 'did not end in time' };
    const { verdict, differing = [] } = end.outcome;
    return { kind: 'ended', verdict, differing };
  }

  #changesState({ entry, resolution }: ReadyCall): boolean {
    const stateful = this.#context.plan.usesOf(entry.number).filter(({ rule }) => rule !== 'stateless');
    if (stateful.length === 0) return false;
    const name = resolution?.kind === 'adapter' ? resolution.adapter : undefined;
    const adapter = ADAPTERS.find((candidate) => candidate.name === name);
    return adapter?.isStateless(entry.functionName) !== true;
  }

  #covered(root: number): Draft {
    const failure = this.#unfinished.get(root);
    if (failure !== undefined) return skipped(`inside call ${root}, which ${failure}`);
    return { verdict: 'ran', reason: `inside call ${root}`, outputs: [] };
  }

  #blocked(step: PlanStep): Draft | undefined {
    const blocker = this.#context.ledger.blockerOf(step.call);
    return blocker === undefined ? undefined : this.#notRun(step, skipped(`state incomplete: ${blocker}`));
  }

  #notRun(step: PlanStep, draft: Draft): Draft {
    const failure = `was not run (${draft.reason})`;
    this.#context.ledger.markBroken(step.call, failure);
    this.#unfinished.set(step.call, failure);
    return draft;
  }

  #withOutput(
    draft: Draft,
    { stdout, stderr }: { stdout: string | undefined; stderr: string | undefined },
  ): Draft {
    if (!SHOWS_OUTPUT.has(draft.verdict) && !this.#context.options.debug) return draft;
    return {
      ...draft,
      ...(stdout === undefined ? {} : { stdout }),
      ...(stderr === undefined ? {} : { stderr }),
    };
  }
}

function withRepeats(draft: Draft, runs: readonly RepeatRun[], asked: number | undefined): Draft {
  const { notes = [], repeats, ...folded } = foldRepeats(draft, runs);
  const all = [...(draft.notes ?? []), ...notes];
  const isTold = (asked ?? 1) > 1 || folded.verdict === 'unstable';
  return {
    ...draft,
    ...folded,
    ...(all.length === 0 ? {} : { notes: all }),
    ...(isTold && repeats !== undefined ? { repeats } : {}),
  };
}

function inPhase(phase: RunPhase): string {
  if (phase === 'prepare') return ' while its code and tensors were loaded';
  return phase === 'judge' ? ' while its results were compared' : '';
}

/** Follows `call 3`. */
function failureOf({ verdict, reason, error }: Draft): string {
  if (verdict === 'crashed') return `crashed (${reason})`;
  if (verdict === 'timeout') return 'did not end in time';
  if (verdict === 'skipped') return `was not run (${reason})`;
  return `failed (${reason ?? (error === undefined ? 'no error' : `${error.name}: ${error.message}`)})`;
}
