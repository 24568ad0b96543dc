import type { Failure } from '../cli/failure.js';
import type { ReplayBegin } from '../core/model/reporter.js';
import type { CallResult, ReplaySummary } from '../core/model/verdict.js';
import type { ReportWriter } from './contract.js';
import { JsonDocument } from './json-document.js';
import type { Sink } from './sink.js';

/** Writes a `fir.replay/1` document, a call at a time. */
export class JsonReporter implements ReportWriter {
  readonly name = 'json';
  readonly #document: JsonDocument;

  constructor(sink: Sink) {
    this.#document = new JsonDocument(sink);
  }

  async onBegin({ session, device, preset, notes }: ReplayBegin): Promise<void> {
    await this.#document.members({ format: 'fir.replay/1', session, device, preset, notes });
    await this.#document.array('calls');
  }

  async onCallEnd(result: CallResult): Promise<void> {
    await this.#document.item(result);
  }

  async onEnd(summary: ReplaySummary): Promise<void> {
    await this.#document.members({ summary });
    await this.#document.end();
  }

  /** A document that was not begun is left to whoever reports the failure. */
  async abandon(failure: Failure): Promise<boolean> {
    if (!this.#document.isStarted) return false;
    await this.#document.fail(failure);
    return true;
  }
}
