import type { CallResult, ReplaySummary, Verdict } from '../model/verdict.js';

export interface SummaryOptions {
  allowIncomplete: boolean;
  wasInterrupted: boolean;
}

/** Counts verdicts as they come; results themselves are not kept. */
export class SummaryCounter {
  readonly #counts = new Map<Verdict, number>();
  #reproduced = 0;
  #outputsCompared = 0;

  add(result: CallResult): void {
    this.#counts.set(result.verdict, this.count(result.verdict) + 1);
    if (result.reproduced === true) this.#reproduced += 1;
    this.#outputsCompared += result.outputs.length;
  }

  count(verdict: Verdict): number {
    return this.#counts.get(verdict) ?? 0;
  }

  /** `calls` is the denominator: every selected call, those that an interruption left out too. */
  finish(calls: number, options: SummaryOptions): ReplaySummary {
    const counted = {
      calls,
      pass: this.count('pass'),
      ran: this.count('ran'),
      mismatch: this.count('mismatch'),
      error: this.count('error'),
      crashed: this.count('crashed'),
      timeout: this.count('timeout'),
      unstable: this.count('unstable'),
      unchecked: this.count('unchecked'),
      skipped: this.count('skipped'),
      reproduced: this.#reproduced,
      outputsCompared: this.#outputsCompared,
    };
    return { ...counted, exitCode: exitCodeFor(counted, options) };
  }
}

/**
 * 130 interrupted; 1 a mismatch, error, crash or timeout; 3 nothing selected, or something was not compared (a call
 * unchecked, unstable or skipped, or none passed), which `allowIncomplete` turns into 0 unless nothing was selected.
 */
function exitCodeFor(summary: Omit<ReplaySummary, 'exitCode'>, options: SummaryOptions): number {
  if (options.wasInterrupted) return 130;
  if (summary.mismatch + summary.error + summary.crashed + summary.timeout > 0) return 1;
  if (summary.calls === 0) return 3;
  const isIncomplete = summary.unchecked + summary.unstable + summary.skipped > 0 || summary.pass === 0;
  return isIncomplete && !options.allowIncomplete ? 3 : 0;
}
