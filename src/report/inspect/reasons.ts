import type { Paint } from '../../cli/colour.js';
import { formatCount } from '../../cli/format.js';
import { printable } from '../../cli/printable.js';
import type { InspectCall } from '../../core/inspect/index.js';

const KEPT = 200;
const SHOWN = 20;

/** What is said of calls, counted by function and text; bounded, since a session may hold as many as calls. */
export class ReasonCounts {
  readonly #title: (calls: string) => string;
  readonly #counts = new Map<string, { function: string; reason: string; count: number; first: number }>();
  #calls = 0;
  #beyond = 0;

  /** `title` makes the line above them of `3 calls`. */
  constructor(title: (calls: string) => string) {
    this.#title = title;
  }

  add(call: InspectCall, reasons: readonly string[]): void {
    this.#calls += 1;
    for (const reason of reasons) {
      const key = `${call.function}\n${reason}`;
      const known = this.#counts.get(key);
      if (known !== undefined) known.count += 1;
      else if (this.#counts.size < KEPT) {
        this.#counts.set(key, { function: call.function, reason, count: 1, first: call.call });
      } else this.#beyond += 1;
    }
  }

  lines(paint: Paint): string[] {
    if (this.#calls === 0) return [];
    const sorted = [...this.#counts.values()].sort((a, b) => b.count - a.count);
    const hidden = sorted.slice(SHOWN).reduce((sum, { count }) => sum + count, this.#beyond);
    return [
      paint.warn(this.#title(formatCount(this.#calls, 'call'))),
      ...sorted.slice(0, SHOWN).map((entry) => {
        const calls =
          entry.count === 1 ? `call ${entry.first}` : `${entry.count} calls, the first is ${entry.first}`;
        return `  ${printable(entry.function)}: ${printable(entry.reason)} (${calls})`;
      }),
      ...(hidden > 0 ? [`  and ${hidden} more`] : []),
    ];
  }
}
