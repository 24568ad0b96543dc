import type { AddedCall } from './closing.js';

/** A dump with all its calls: those of a CUDA graph's snapshots go and stay together. */
export interface PruneUnit {
  /** Numbers of its calls, ascending; the last one decides how old it is. */
  calls: readonly number[];
  /** Of its directory, and of its lines in the index. */
  bytes: number;
  /** Contents under `blobs/` that it refers to, by number. */
  blobs: readonly number[];
  /** What was asked for lets it go. */
  isChosen: boolean;
  /** It goes whatever the bounds are, unless a kept call needs it. */
  isUseless: boolean;
}

/** What is to be left at most. */
export interface PruneBounds {
  calls?: number | undefined;
  bytes?: number | undefined;
}

export interface PruneInput {
  units: readonly PruneUnit[];
  /** Sizes of the contents under `blobs/`. */
  blobBytes: readonly number[];
  /** Of what stays in any case. */
  otherBytes: number;
  bounds: PruneBounds;
  /** What the kept calls need and would not be kept. */
  neededBy(kept: ReadonlySet<number>): readonly AddedCall[];
}

export interface PruneSelection {
  /** Indexes of the units that go, the oldest first. */
  dropped: number[];
  /** Calls that would have gone with them, and stay because kept ones need them. */
  needed: AddedCall[];
  /** Of what is left. */
  calls: number;
  bytes: number;
  isWithinBounds: boolean;
}

/**
 * Chooses what goes: without bounds everything that was chosen, with bounds the oldest of that until what is left is
 * within them. What a kept call needs is never among it; where nothing of a unit's dependants is kept, it goes like any
 * other.
 */
export function planPrune(input: PruneInput): PruneSelection {
  return new Pruning(input).plan();
}

interface Kept {
  dropped: number[];
  needed: AddedCall[];
}

class Pruning {
  readonly #input: PruneInput;
  readonly #useless: readonly number[];
  /** The oldest first. */
  readonly #chosen: readonly number[];
  readonly #unitOf = new Map<number, number>();

  constructor(input: PruneInput) {
    this.#input = input;
    const { units } = input;
    const order = [...units.keys()].sort((a, b) => ageOf(units[a]) - ageOf(units[b]));
    this.#useless = order.filter((unit) => units[unit]?.isUseless === true);
    this.#chosen = order.filter((unit) => units[unit]?.isChosen === true && !units[unit].isUseless);
    units.forEach(({ calls }, unit) => {
      for (const call of calls) this.#unitOf.set(call, unit);
    });
  }

  plan(): PruneSelection {
    const { bounds } = this.#input;
    const hasBounds = bounds.calls !== undefined || bounds.bytes !== undefined;
    const { dropped, needed } = hasBounds ? this.#withinBounds() : this.#withoutNeeded(this.#chosen.length);
    const left = this.#leftBy(dropped);
    return { dropped, needed, ...left, isWithinBounds: this.#isWithin(left) };
  }

  /** The more may go, the less is left with what that needs: so the least that is enough can be searched for. */
  #withinBounds(): Kept {
    let low = 0;
    let high = this.#leastThat((count) => this.#isEnough(this.#first(count)));
    let kept = this.#withoutNeeded(high);
    for (let step = 1; high < this.#chosen.length && !this.#isEnough(kept.dropped); step *= 2) {
      low = high;
      // As if nothing else were needed than is now: there may be more.
      const stays = new Set(kept.needed.map(({ call }) => this.#unitOf.get(call)));
      const guess = this.#leastThat((count) =>
        this.#isEnough(this.#first(count).filter((unit) => !stays.has(unit))),
      );
      high = Math.min(this.#chosen.length, Math.max(guess, low + step));
      kept = this.#withoutNeeded(high);
    }
    if (low === 0 || !this.#isEnough(kept.dropped)) return kept;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      const tried = this.#withoutNeeded(middle);
      if (this.#isEnough(tried.dropped)) {
        high = middle;
        kept = tried;
      } else low = middle;
    }
    return kept;
  }

  /** The least number of chosen units for which a test holds that holds for all larger ones; all where it never does. */
  #leastThat(holds: (count: number) => boolean): number {
    let low = 0;
    let high = this.#chosen.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (holds(middle)) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #first(count: number): number[] {
    return [...this.#useless, ...this.#chosen.slice(0, count)];
  }

  /** The oldest `count` chosen units without those that a kept call needs. */
  #withoutNeeded(count: number): Kept {
    const dropped = new Set(this.#first(count));
    const needed: AddedCall[] = [];
    if (dropped.size === 0) return { dropped: [], needed };
    for (;;) {
      const added = this.#input.neededBy(this.#keptCalls(dropped));
      const before = dropped.size;
      for (const call of added) {
        const unit = this.#unitOf.get(call.call);
        if (unit === undefined) continue;
        needed.push(call);
        dropped.delete(unit);
      }
      // With a unit all its calls stay, which may need more.
      if (dropped.size === before || !this.#hasJoined(added)) break;
    }
    needed.sort((a, b) => a.call - b.call);
    return { dropped: [...dropped], needed };
  }

  #hasJoined(added: readonly AddedCall[]): boolean {
    return added.some(({ call }) => {
      const unit = this.#unitOf.get(call);
      return unit !== undefined && (this.#input.units[unit]?.calls.length ?? 0) > 1;
    });
  }

  #keptCalls(dropped: ReadonlySet<number>): Set<number> {
    const kept = new Set<number>();
    this.#input.units.forEach(({ calls }, unit) => {
      if (!dropped.has(unit)) for (const call of calls) kept.add(call);
    });
    return kept;
  }

  #isEnough(dropped: readonly number[]): boolean {
    return this.#isWithin(this.#leftBy(dropped));
  }

  #isWithin({ calls, bytes }: { calls: number; bytes: number }): boolean {
    const { bounds } = this.#input;
    return calls <= (bounds.calls ?? calls) && bytes <= (bounds.bytes ?? bytes);
  }

  #leftBy(dropped: readonly number[]): { calls: number; bytes: number } {
    const { units, blobBytes, otherBytes } = this.#input;
    const goes = new Uint8Array(units.length);
    for (const unit of dropped) goes[unit] = 1;
    const isReferred = new Uint8Array(blobBytes.length);
    let calls = 0;
    let bytes = otherBytes;
    units.forEach((unit, index) => {
      if (goes[index] === 1) return;
      calls += unit.calls.length;
      bytes += unit.bytes;
      for (const blob of unit.blobs) isReferred[blob] = 1;
    });
    blobBytes.forEach((size, blob) => {
      if (isReferred[blob] === 1) bytes += size;
    });
    return { calls, bytes };
  }
}

function ageOf(unit: PruneUnit | undefined): number {
  return unit?.calls.at(-1) ?? 0;
}
