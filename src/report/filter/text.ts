import type { Paint } from '../../cli/colour.js';
import { formatCount } from '../../cli/format.js';
import { printable } from '../../cli/printable.js';
import type { FilterOptions, FilterPlan, FilterResult } from '../../core/retain/index.js';
import type { ExtractResult } from '../../core/store/index.js';
import { Listing } from '../listing.js';
import type { StepsView } from '../progress.js';
import type { Sink } from '../sink.js';
import { type FilterReport, writesNothing } from './contract.js';
import { type CallRow, rowsOf } from './rows.js';
import { filterSummaryLine } from './summary-line.js';

const MOST_NOTES = 10;

/** A line a call, or a run of them, what won't replay, and the summary as the last line. */
export class FilterText implements FilterReport {
  readonly #listing: Listing;
  readonly #paint: Paint;
  readonly #options: FilterOptions;
  readonly #steps: StepsView | undefined;

  constructor(sink: Sink, paint: Paint, options: FilterOptions, steps: StepsView | undefined) {
    this.#listing = new Listing(sink, paint);
    this.#paint = paint;
    this.#options = options;
    this.#steps = steps;
  }

  onProgress(step: 'looking' | 'writing', done: number, total: number): void {
    const verb = step === 'looking' ? 'looked into' : 'wrote';
    this.#steps?.show(`${verb} ${done} of ${formatCount(total, 'call')}`);
  }

  async onPlan(plan: FilterPlan): Promise<void> {
    this.#steps?.hide();
    await this.#listing.rows(this.#rows(plan), writesNothing(this.#options));
    await this.#listing.notes(notesOf(plan));
  }

  async end(result: FilterResult, exitCode: number): Promise<void> {
    this.#steps?.hide();
    if (result.written !== undefined)
      for (const line of this.#writtenLines(result.written)) await this.#listing.line(line);
    await this.#listing.close(filterSummaryLine(result, this.#options), exitCode);
  }

  abandon(): Promise<boolean> {
    this.#steps?.hide();
    return this.#listing.abandon();
  }

  *#rows(plan: FilterPlan): Generator<string> {
    const width = String(plan.calls).length;
    for (const row of rowsOf(plan)) yield this.#rowText(row, width);
  }

  #rowText({ mark, first, last, function: name, why }: CallRow, width: number): string {
    const number = first === last ? String(first) : `${first}-${last}`;
    const reason = why === '' ? '' : `  ${this.#paint.faint(why)}`;
    return `${mark} ${number.padStart(width)} ${mark === ' ' ? this.#paint.strong(name) : name}${reason}`;
  }

  #writtenLines({ linked, cloned, copied, unconverted }: ExtractResult): string[] {
    const isKept = this.#options.destination !== undefined;
    const shared = `${formatCount(linked + cloned, 'file')} shared with the old session, ${copied} written`;
    const lines = isKept ? [shared] : [];
    const [first] = unconverted;
    if (first !== undefined) {
      lines.push(
        `${formatCount(unconverted.length, 'call')} kept the tensor files they had; call ${first.call}: ${printable(first.reason)}`,
      );
    }
    return lines;
  }
}

function notesOf({ unready, deprived, unreadable }: FilterPlan): string[] {
  const notes = unready
    .slice(0, MOST_NOTES)
    .map(({ call, reason }) => `call ${call} won't replay: ${reason}`);
  if (unready.length > MOST_NOTES) notes.push(`${unready.length - MOST_NOTES} more won't replay either`);
  if (deprived.length > 0) {
    const calls = deprived.slice(0, MOST_NOTES).join(', ');
    const more = deprived.length > MOST_NOTES ? ', …' : '';
    notes.push(
      `without what is left out ${formatCount(deprived.length, 'call')} won't replay as recorded: ${calls}${more}`,
    );
  }
  if (unreadable.first !== undefined) {
    const { call, reason } = unreadable.first;
    notes.push(`${formatCount(unreadable.calls, 'call')} could not be looked into; call ${call}: ${reason}`);
  }
  return notes;
}
