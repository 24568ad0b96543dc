import type { Paint } from '../../cli/colour.js';
import { formatCount } from '../../cli/format.js';
import { printable } from '../../cli/printable.js';
import type { InspectCall } from '../../core/inspect/index.js';

const KEPT = 200;
const SHOWN = 20;

/** Why calls can't be replayed, counted by function and reason; bounded, since a session may hold as many as calls. */
export class ReasonCounts {
  readonly #counts = new Map<string, { function: string; reason: string; count: number; first: number }>();
  #calls = 0;
  #beyond = 0;

  add(call: InspectCall): void {
    if (call.replayable) return;
    this.#calls += 1;
    for (const reason of call.reasons) {
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
      paint.warn(`${formatCount(this.#calls, 'call')} can't be replayed:`),
      ...sorted.slice(0, SHOWN).map((entry) => {
        const calls =
          entry.count === 1 ? `call ${entry.first}` : `${entry.count} calls, the first is ${entry.first}`;
        return `  ${printable(entry.function)}: ${printable(entry.reason)} (${calls})`;
      }),
      ...(hidden > 0 ? [`  and ${hidden} more`] : []),
    ];
  }
}
