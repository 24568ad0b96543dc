import type { Failure } from '../../cli/failure.js';
import type { FilterOptions, FilterPlan, FilterResult, NeededCall } from '../../core/retain/index.js';
import type { CallEntry } from '../../core/session/index.js';
import { JsonDocument } from '../json-document.js';
import type { Sink } from '../sink.js';
import { type FilterReport, writesNothing } from './contract.js';

/** Writes a `fir.filter/1` document, a call at a time. */
export class FilterJson implements FilterReport {
  readonly #document: JsonDocument;
  readonly #options: FilterOptions;

  constructor(sink: Sink, options: FilterOptions) {
    this.#document = new JsonDocument(sink);
    this.#options = options;
  }

  async onPlan(plan: FilterPlan): Promise<void> {
    const { path, asked, withClosure } = this.#options;
    const document = this.#document;
    await document.members({
      format: 'fir.filter/1',
      session: path,
      asked,
      closure: withClosure,
      dryRun: writesNothing(this.#options),
    });
    await document.array('selected');
    for (const call of plan.selected) await document.item(callFields(call));
    await this.#writeNeeded('added', plan.added);
    await this.#writeNeeded('leftOut', plan.leftOut);
    await document.array('unready');
    for (const call of plan.unready) await document.item(call);
    await document.array('deprived');
    for (const call of plan.deprived) await document.item(call);
    await document.members({ unreadable: plan.unreadable });
  }

  async end({ plan, bytesBefore, written, packedBytes }: FilterResult, exitCode: number): Promise<void> {
    const { destination, pack } = this.#options;
    if (written !== undefined) {
      await this.#document.members({ written: { path: destination ?? pack, ...written } });
    }
    if (packedBytes !== undefined) {
      await this.#document.members({ packed: { path: pack, bytes: packedBytes } });
    }
    await this.#document.members({
      summary: {
        calls: plan.calls,
        selected: plan.selected.length,
        added: plan.added.length,
        leftOut: plan.leftOut.length,
        bytesBefore,
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

  async #writeNeeded(name: string, calls: readonly NeededCall[]): Promise<void> {
    await this.#document.array(name);
    for (const { entry, neededBy, why, reason } of calls) {
      await this.#document.item({ ...callFields(entry), neededBy, why, reason });
    }
  }
}

function callFields({ number, dump, functionName, pid, status }: CallEntry): object {
  return { call: number, dump, function: functionName, pid, status };
}
