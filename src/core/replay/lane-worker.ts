import type { PlanStep } from './plan.js';
import type { PlanObject } from './plan-types.js';
import type { NamedObject, RunPurpose } from './protocol.js';
import { type ReadyCall, readyCall } from './ready-call.js';
import type { ReplayContext } from './replay-context.js';
import type { RunEnd, WorkerHandle } from './worker-handle.js';

const DEFAULT_TIMEOUT_MS = 60_000;
const TIMEOUT_FACTOR = 20;

/** The worker of a lane: started when first needed, started again with its state rebuilt when a call has ended it. */
export class LaneWorker {
  readonly #context: ReplayContext;
  readonly #steps: readonly PlanStep[];
  readonly #lastUses = new Map<string, number>();
  #worker: WorkerHandle | undefined;
  #hasStarted = false;

  constructor(context: ReplayContext, steps: readonly PlanStep[]) {
    this.#context = context;
    this.#steps = steps;
    steps.forEach(({ call, coveredBy }, index) => {
      if (coveredBy !== undefined) return;
      for (const { key } of context.plan.objectsOf(call)) this.#lastUses.set(key, index);
    });
  }

  /** Makes sure of a live worker whose objects are as the step at `index` needs them. FirError WORKER_FAILED. */
  async ensure(index: number): Promise<void> {
    while (this.#worker?.isAlive !== true) {
      await this.close();
      this.#worker = await this.#context.startWorker();
      if (this.#context.isEnded) return;
      if (this.#hasStarted) await this.#rebuild(index);
      this.#hasStarted = true;
    }
  }

  async run(call: ReadyCall, purpose: RunPurpose, scope = 0, keepResults = false): Promise<RunEnd> {
    if (this.#worker === undefined) return { kind: 'died', how: 'was never started', phase: 'prepare' };
    const { entry, record, path, resolution } = call;
    const { plan, options } = this.#context;
    const uses = plan.usesOf(entry.number).map(nameOf);
    const durationMs = (record.fir?.duration_us ?? 0) / 1000;
    const timeoutMs = options.timeoutMs ?? Math.max(DEFAULT_TIMEOUT_MS, TIMEOUT_FACTOR * durationMs);
    return this.#worker.run(
      {
        dump: path,
        resolution,
        purpose,
        keepResults,
        scope,
        self: entry.kind === 'method' && entry.selfId !== undefined ? uses[0] : undefined,
        uses,
        makes: plan.makesOf(entry.number).map(nameOf),
      },
      timeoutMs,
    );
  }

  /** Runs a call for the objects that it makes or changes. What went wrong, in words that follow `call 3 (f)`. */
  async runForState(call: number, scope: number): Promise<string | undefined> {
    const ready = readyCall(this.#context, call);
    if ('draft' in ready) return `was not run (${ready.draft.reason})`;
    const end = await this.run(ready, 'state', scope);
    if (end.kind === 'died') return `crashed (${end.how}) while state was rebuilt`;
    if (end.kind === 'timeout') return 'did not end while state was rebuilt';
    if (end.outcome.ranAsRecorded) return undefined;
    const { reason, error } = end.outcome;
    return `failed while state was rebuilt (${reason ?? `${error?.name}: ${error?.message}`})`;
  }

  /** Lets go of the objects that nothing after the step at `index` uses. */
  dropUnused(index: number): void {
    const unused = this.#context.plan
      .objectsOf(this.#steps[index]?.call ?? 0)
      .filter(({ key }) => (this.#lastUses.get(key) ?? 0) <= index);
    this.#drop(unused.map(({ key }) => key));
  }

  dropScope(scope: number): void {
    if (this.#worker?.isAlive === true) this.#worker.drop(scope);
  }

  async takeOutput(): Promise<{ stdout: string | undefined; stderr: string | undefined }> {
    return this.#worker?.takeOutput() ?? { stdout: undefined, stderr: undefined };
  }

  get isAlive(): boolean {
    return this.#worker?.isAlive === true;
  }

  async close(): Promise<void> {
    if (this.#worker === undefined) return;
    await this.#context.closeWorker(this.#worker);
    this.#worker = undefined;
  }

  /** Runs again, in order, what the steps that are left need; a call that fails here is left out, and what needs it is skipped. */
  async #rebuild(index: number): Promise<void> {
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
      const failure = await this.runForState(call, 0);
      if (this.#context.isEnded) return;
      if (failure !== undefined) ledger.markBroken(call, failure);
      if (!this.isAlive) return;
      rebuilt.push(...plan.objectsOf(call));
    }
    this.#drop(rebuilt.filter(({ key }) => (this.#lastUses.get(key) ?? 0) < index).map(({ key }) => key));
  }

  #drop(keys: readonly string[]): void {
    if (keys.length > 0 && this.#worker?.isAlive === true) this.#worker.drop(0, keys);
  }
}

function nameOf({ selfId, className, key }: PlanObject): NamedObject {
  return { selfId, className, key };
}
