import { DurationSample } from './duration-sample.js';
import type { SharedContent } from './shared-contents.js';
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
  readonly #contents = new Set<string>();
  #shared = { tensors: 0, bytes: 0, storedBytes: 0 };

  /** `bytes` is what the call's tensors hold together, `contents` what of them stands under `blobs/`. */
  add(call: InspectCall, bytes: number, contents: readonly SharedContent[] = []): void {
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
    for (const content of contents) this.#addContent(content);
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
      ...(this.#shared.tensors === 0 ? {} : { contents: { ...this.#shared } }),
    };
  }

  #addContent({ sha256, bytes }: SharedContent): void {
    this.#shared.tensors += 1;
    this.#shared.bytes += bytes;
    if (this.#contents.has(sha256)) return;
    this.#contents.add(sha256);
    this.#shared.storedBytes += bytes;
  }
}
