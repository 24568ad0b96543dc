import type { Failure } from '../cli/failure.js';
import { FirError, messageOf } from '../core/errors.js';
import type { CallBegin, ReplayBegin, Reporter } from '../core/model/reporter.js';
import type { CallResult, ReplaySummary } from '../core/model/verdict.js';
import type { ReportWriter } from './contract.js';

/**
 * Tells several reporters. One that fails is told nothing more; the replay and the others go on, and `failure`
 * remembers the first.
 */
export class Multiplexer implements Reporter {
  readonly #working: Set<ReportWriter>;
  #failure: FirError | undefined;

  constructor(reporters: readonly ReportWriter[]) {
    this.#working = new Set(reporters);
  }

  /** REPORT_FAILED, with the name of the first reporter that failed. */
  get failure(): FirError | undefined {
    return this.#failure;
  }

  async onBegin(begin: ReplayBegin): Promise<void> {
    await this.#tell((reporter) => reporter.onBegin?.(begin));
  }

  onCallBegin(call: CallBegin): void {
    for (const reporter of this.#working) {
      try {
        reporter.onCallBegin?.(call);
      } catch (error) {
        this.#drop(reporter, error);
      }
    }
  }

  async onCallEnd(result: CallResult): Promise<void> {
    await this.#tell((reporter) => reporter.onCallEnd?.(result));
  }

  async onEnd(summary: ReplaySummary): Promise<void> {
    await this.#tell((reporter) => reporter.onEnd?.(summary));
  }

  /** True where a report tells the failure. */
  async abandon(failure: Failure): Promise<boolean> {
    let isTold = false;
    await this.#tell(async (reporter) => {
      if (await reporter.abandon(failure)) isTold = true;
    });
    return isTold;
  }

  async #tell(hook: (reporter: ReportWriter) => void | Promise<void> | undefined): Promise<void> {
    for (const reporter of this.#working) {
      try {
        await hook(reporter);
      } catch (error) {
        this.#drop(reporter, error);
      }
    }
  }

  #drop(reporter: ReportWriter, error: unknown): void {
    this.#working.delete(reporter);
    this.#failure ??= new FirError(
      'REPORT_FAILED',
      `the ${reporter.name} report failed: ${messageOf(error)}`,
      {
        cause: error,
        hint: 'The replay itself ran to its end; its other reports are complete.',
      },
    );
  }
}
