import type { ReplayPlan } from '../plan/replay-plan.js';
import type { PlanCall, PlanObject } from '../plan/types.js';
import { shellWord } from '../shell-word.js';

/** Which calls left objects without their state, so that the calls that need it are not run. */
export class StateLedger {
  readonly #plan: ReplayPlan;
  readonly #reasons = new Map<number, string>();
  readonly #brokenBy = new Map<PlanObject, number[]>();

  constructor(plan: ReplayPlan) {
    this.#plan = plan;
  }

  /** `reason` completes `call 3 (Wrapper.plan) …`. */
  markBroken(call: number, reason: string): void {
    if (this.#reasons.has(call)) return;
    this.#reasons.set(call, reason);
    for (const object of this.#plan.changesOf(call)) {
      const known = this.#brokenBy.get(object);
      if (known === undefined) this.#brokenBy.set(object, [call]);
      else known.push(call);
    }
  }

  isBroken(call: number): boolean {
    return this.#reasons.has(call);
  }

  /** Why a call does not find its objects as they were, in words; undefined where it does. */
  blockerOf(call: number): string | undefined {
    for (const object of this.#plan.usesOf(call)) {
      const creator = this.#plan.creatorOf(object, call);
      if (creator === undefined) {
        return missingConstructor(object, this.#plan.recorderOf(call));
      }
      if (creator.status !== 'completed') {
        const ending = creator.status === 'failed' ? 'failed' : 'never finished';
        return `state incomplete: call ${creator.number} (${creator.functionName}), which makes ${object.className} object ${object.selfId}, ${ending} when it was recorded`;
      }
      const broken = this.#brokenBy.get(object)?.find((other) => this.#plan.isStateOf(object, other, call));
      if (broken !== undefined) return `state incomplete: call ${broken} ${this.#reasons.get(broken)}`;
    }
    return undefined;
  }
}

/** Says which pattern would have kept the constructor: FlashInfer names only wrappers' by their class. */
function missingConstructor({ className, selfId }: PlanObject, recorder: PlanCall['recorder']): string {
  const what = `its constructor was not recorded (${className} object ${selfId})`;
  if (recorder === 'fir') return `${what}; record it with --include ${shellWord(`${className}.*`)}`;
  const pattern = className.includes('Wrapper') ? `${className}.*` : '__init__';
  return `${what}; record it with FLASHINFER_DUMP_INCLUDE=${shellWord(pattern)}`;
}
