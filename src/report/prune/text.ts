import type { Paint } from '../../cli/colour.js';
import { formatBytes, formatCount } from '../../cli/format.js';
import type { PruneOptions, PrunePlan, PruneResult } from '../../core/retain/index.js';
import { Listing } from '../listing.js';
import type { StepsView } from '../progress.js';
import type { Sink } from '../sink.js';
import type { PruneReport } from './index.js';
import { type DroppedRow, rowsOf } from './rows.js';
import { planLine, pruneSummaryLine } from './summary-line.js';

const MOST_NOTES = 10;

/** A line a call that goes, or a run of them, what stays and why, and the summary as the last line. */
export class PruneText implements PruneReport {
  readonly #listing: Listing;
  readonly #paint: Paint;
  readonly #options: PruneOptions;
  readonly #steps: StepsView | undefined;

  constructor(sink: Sink, paint: Paint, options: PruneOptions, steps: StepsView | undefined) {
    this.#listing = new Listing(sink, paint);
    this.#paint = paint;
    this.#options = options;
    this.#steps = steps;
  }

  onProgress(step: 'looking' | 'dropping', done: number, total: number): void {
    const verb = step === 'looking' ? 'looked at' : 'dropped';
    this.#steps?.show(`${verb} ${done} of ${formatCount(total, 'dump')}`);
  }

  async plan(plan: PrunePlan): Promise<void> {
    this.#steps?.hide();
    const rows = await this.#listing.rows(this.#rows(plan), this.#options.dryRun);
    if (rows === 0) await this.#listing.line('  no calls go');
    const willAct = !this.#options.dryRun && !plan.isEmpty;
    await this.#listing.notes(notesOf(plan), ...(willAct ? [planLine(plan)] : []));
  }

  async end(result: PruneResult, exitCode: number): Promise<void> {
    this.#steps?.hide();
    for (const path of result.left.slice(0, MOST_NOTES)) {
      await this.#listing.note(`${path} holds what is no session's: it was left there`);
    }
    await this.#listing.close(pruneSummaryLine(result, this.#options), exitCode);
  }

  abandon(): Promise<boolean> {
    this.#steps?.hide();
    return this.#listing.abandon();
  }

  *#rows(plan: PrunePlan): Generator<string> {
    const width = String(plan.calls).length;
    for (const row of rowsOf(plan)) yield this.#rowText(row, width);
  }

  #rowText({ calls, function: name, bytes, why }: DroppedRow, width: number): string {
    const reason = why === '' ? '' : `  ${this.#paint.faint(why)}`;
    return `- ${calls.padStart(width)} ${this.#paint.strong(name)}  ${formatBytes(bytes)}${reason}`;
  }
}

function notesOf(plan: PrunePlan): string[] {
  const notes = [
    ...limited(
      plan.needed.map(
        ({ entry, neededBy, reason }) => `call ${entry.number} stays: ${reason}, for call ${neededBy}`,
      ),
      'more calls stay because kept ones need them',
    ),
    ...limited(
      plan.staying.map(({ entry, reason }) => `call ${entry.number} stays: ${reason}`),
      'more calls stay as well',
    ),
  ];
  const { repairs } = plan;
  if (plan.blobs > 0) {
    notes.push(
      `${formatCount(plan.blobs, 'content')} in blobs/ that nothing needs then, ${formatBytes(plan.blobBytes)}`,
    );
  }
  if (repairs === undefined) return notes;
  if (repairs.lines > 0)
    notes.push(`${formatCount(repairs.lines, 'line')} of the index that tell of no call`);
  notes.push(
    ...limited(
      repairs.leftovers.map(
        ({ path, bytes }) => `${path}, left of an unfinished write, ${formatBytes(bytes)}`,
      ),
      'more leftovers of unfinished writes',
    ),
    ...limited(
      repairs.strangers.map((path) => `${path} is no part of a session: it stays`),
      'more that are no part of a session',
    ),
  );
  return notes;
}

function limited(notes: readonly string[], more: string): string[] {
  const hidden = notes.length - MOST_NOTES;
  return hidden > 0 ? [...notes.slice(0, MOST_NOTES), `${hidden} ${more}`] : [...notes];
}
