import type { ReplayPlan } from './plan.js';
import type { PlanObject } from './plan-types.js';

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

  /** What is missing of the state that a call needs, in words; undefined where nothing is. */
  blockerOf(call: number): string | undefined {
    for (const object of this.#plan.usesOf(call)) {
      const creator = this.#plan.creatorOf(object, call);
      if (creator === undefined) {
        return `${object.className} object ${object.selfId} was not constructed in this session`;
      }
      if (creator.status !== 'completed') {
        const ending = creator.status === 'failed' ? 'failed' : 'never finished';
        return `call ${creator.number} (${creator.functionName}), which makes ${object.className} object ${object.selfId}, ${ending} when it was recorded`;
      }
      const broken = this.#brokenBy.get(object)?.find((other) => this.#plan.isStateOf(object, other, call));
      if (broken !== undefined) return `call ${broken} ${this.#reasons.get(broken)}`;
    }
    return undefined;
  }
}
