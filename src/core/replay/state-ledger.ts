import type { ReplayPlan } from '../plan/replay-plan.js';
import type { PlanObject } from '../plan/types.js';
import { whyNotMade } from '../plan/why-not-made.js';

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
    const user = this.#plan.callOf(call);
    if (user === undefined) return undefined;
    for (const object of this.#plan.usesOf(call)) {
      const creator = this.#plan.creatorOf(object, call);
      const notMade = whyNotMade(object, creator, user);
      if (notMade !== undefined) return notMade;
      const broken = this.#brokenBy.get(object)?.find((other) => this.#plan.isStateOf(object, other, call));
      if (broken !== undefined) return `state incomplete: call ${broken} ${this.#reasons.get(broken)}`;
    }
    return undefined;
  }
}
