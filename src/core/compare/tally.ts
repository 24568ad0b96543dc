import type { NanRule } from '../model/tolerance.js';

/** An extreme found so far; `position` counts values in logical order. Value -1: none yet. */
export interface Peak {
  value: number;
  position: number;
}

/** What is known of a comparison after some of its blocks. */
export interface Tally {
  mismatched: number;
  /** Values where either side is NaN; where either is infinite and not NaN. */
  nan: number;
  inf: number;
  /** Pairs of which both sides are finite: the error figures are about these. */
  finite: number;
  /** Mismatches among the other pairs, which no error figure shows, and where the first is. */
  nonFiniteMismatched: number;
  firstNonFiniteMismatch: number;
  maxAbs: Peak;
  maxRel: Peak;
  maxUlp: number;
}

/** When a pair matches. */
export interface MatchRule {
  rtol: number;
  atol: number;
  nan: NanRule;
  /** A pair at most this many representable values apart matches too; -1: only the tolerance counts. */
  steps: number;
}

/** The decoded values of a block, and room for the differences. */
export interface DecodedBlock {
  actual: Float64Array;
  expected: Float64Array;
  /** Filled by the tally: actual - expected; 0, as both values are then, where a side is not finite. */
  difference: Float64Array;
  /** Distances in representable values; undefined where the dtype has none. */
  steps: Float64Array | undefined;
  /** Values before this block. */
  begin: number;
}

export function emptyTally(): Tally {
  return {
    mismatched: 0,
    nan: 0,
    inf: 0,
    finite: 0,
    nonFiniteMismatched: 0,
    firstNonFiniteMismatch: -1,
    maxAbs: { value: -1, position: -1 },
    maxRel: { value: -1, position: -1 },
    maxUlp: 0,
  };
}

/** Counts a pair of which a side is NaN or infinite, `equal` being whether the two are the same infinity. */
export function tallyNonFinite(
  tally: Tally,
  rule: MatchRule,
  position: number,
  pair: {
    actualNan: boolean;
    expectedNan: boolean;
    actualInf: boolean;
    expectedInf: boolean;
    equal: boolean;
  },
): void {
  if (pair.actualNan || pair.expectedNan) tally.nan++;
  if (pair.actualInf || pair.expectedInf) tally.inf++;
  const bothNan = pair.actualNan && pair.expectedNan;
  if (pair.equal || (bothNan && rule.nan === 'equal')) return;
  tally.mismatched++;
  if (tally.nonFiniteMismatched++ === 0) tally.firstNonFiniteMismatch = position;
}
