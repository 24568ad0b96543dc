import { DurationSample } from './duration-sample.js';
import type { InspectCall, InspectFunctionSummary, InspectSummary } from './types.js';

interface FunctionTally {
  calls: number;
  failed: number;
  unfinished: number;
  bytes: number;
  durations: DurationSample;
}

/** Adds up calls as they come. */
export class SummaryTally {
  #calls = 0;
  readonly #byStatus = new Map<string, number>();
  readonly #unfinished: number[] = [];
  readonly #byFunction = new Map<string, FunctionTally>();

  /** `bytes` is what the call's tensors hold together. */
  add(call: InspectCall, bytes: number): void {
    this.#calls += 1;
    this.#byStatus.set(call.status, (this.#byStatus.get(call.status) ?? 0) + 1);
    if (call.status === 'inputs_saved') this.#unfinished.push(call.call);
    let tally = this.#byFunction.get(call.function);
    if (tally === undefined) {
      tally = { calls: 0, failed: 0, unfinished: 0, bytes: 0, durations: new DurationSample() };
      this.#byFunction.set(call.function, tally);
    }
    tally.calls += 1;
    if (call.status === 'failed') tally.failed += 1;
    else if (call.status !== 'completed') tally.unfinished += 1;
    tally.bytes += bytes;
    if (call.durationUs !== null) tally.durations.add(call.durationUs);
  }

  summary(): InspectSummary {
    const byFunction = [...this.#byFunction].map(([name, tally]): InspectFunctionSummary => {
      const [p50Us = null, p95Us = null] = tally.durations.percentiles([0.5, 0.95]);
      const { calls, failed, unfinished, bytes } = tally;
      return { function: name, calls, failed, unfinished, bytes, p50Us, p95Us };
    });
    return {
      calls: this.#calls,
      byStatus: Object.fromEntries(this.#byStatus),
      byFunction,
      unfinished: [...this.#unfinished],
    };
  }
}
