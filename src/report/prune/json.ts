import type { Failure } from '../../cli/failure.js';
import type { PruneOptions, PrunePlan, PruneResult } from '../../core/retain/index.js';
import { JsonDocument } from '../json-document.js';
import type { Sink } from '../sink.js';
import type { PruneReport } from './index.js';

/** Writes a `fir.prune/1` document, a dump at a time. */
export class PruneJson implements PruneReport {
  readonly #document: JsonDocument;
  readonly #options: PruneOptions;

  constructor(sink: Sink, options: PruneOptions) {
    this.#document = new JsonDocument(sink);
    this.#options = options;
  }

  async plan(plan: PrunePlan): Promise<void> {
    const { path, asked, dryRun } = this.#options;
    const document = this.#document;
    await document.members({ format: 'fir.prune/1', session: path, asked, dryRun });
    await document.array('dropped');
    for (const { dump, entries, bytes, useless } of plan.dropped) {
      const [first] = entries;
      await document.item({
        dump,
        calls: entries.map(({ number }) => number),
        function: first?.functionName ?? '',
        pid: first?.pid ?? 0,
        status: first?.status ?? 'no_record',
        bytes,
        reason: useless,
      });
    }
    await document.array('needed');
    for (const { entry, neededBy, why, reason } of plan.needed) {
      const { number, dump, functionName } = entry;
      await document.item({ call: number, dump, function: functionName, neededBy, why, reason });
    }
    await document.array('staying');
    for (const { entry, reason } of plan.staying) {
      const { number, dump, functionName } = entry;
      await document.item({ call: number, dump, function: functionName, reason });
    }
    await document.members({ blobs: { count: plan.blobs, bytes: plan.blobBytes }, repairs: plan.repairs });
  }

  async end({ plan, isDone, left }: PruneResult, exitCode: number): Promise<void> {
    await this.#document.members({
      left,
      summary: {
        calls: plan.calls,
        bytes: plan.bytes,
        dropped: plan.droppedCalls,
        needed: plan.needed.length,
        staying: plan.staying.length,
        callsLeft: plan.callsLeft,
        bytesLeft: plan.bytesLeft,
        withinBounds: plan.isWithinBounds,
        done: isDone,
        exitCode,
      },
    });
    await this.#document.end();
  }

  async abandon(failure: Failure): Promise<boolean> {
    if (!this.#document.isStarted) return false;
    await this.#document.fail(failure);
    return true;
  }
}
