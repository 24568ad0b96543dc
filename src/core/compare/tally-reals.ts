import { type DecodedBlock, type MatchRule, type Tally, tallyNonFinite } from './tally.js';

/**
 * Adds a block of real numbers. A finite pair matches when `|a - e| <= atol + rtol * |e|` in float64, or within
 * `rule.steps`; a difference that overflows float64 never matches. The relative difference `|a - e| / |e|` is taken
 * where e is not 0. Of equal extremes the first counts.
 */
export function tallyReals(tally: Tally, block: DecodedBlock, rule: MatchRule): void {
  const { actual, expected, difference, steps, begin } = block;
  const { rtol, atol } = rule;
  let { mismatched, finite, maxUlp } = tally;
  let { value: maxAbs, position: maxAbsAt } = tally.maxAbs;
  let { value: maxRel, position: maxRelAt } = tally.maxRel;
  for (let i = 0; i < actual.length; i++) {
    const a = actual[i] as number;
    const e = expected[i] as number;
    if (!(Number.isFinite(a) && Number.isFinite(e))) {
      tally.mismatched = mismatched;
      tallyNonFinite(tally, rule, begin + i, {
        actualNan: Number.isNaN(a),
        expectedNan: Number.isNaN(e),
        actualInf: Math.abs(a) === Number.POSITIVE_INFINITY,
        expectedInf: Math.abs(e) === Number.POSITIVE_INFINITY,
        equal: a === e,
      });
      mismatched = tally.mismatched;
      actual[i] = expected[i] = difference[i] = 0;
      continue;
    }
    finite++;
    const d = a - e;
    const abs = Math.abs(d);
    const magnitude = Math.abs(e);
    difference[i] = d;
    if (abs > maxAbs) {
      maxAbs = abs;
      maxAbsAt = begin + i;
    }
    if (magnitude !== 0 && (abs !== 0 || maxRel < 0)) {
      const relative = abs / magnitude;
      if (relative > maxRel) {
        maxRel = relative;
        maxRelAt = begin + i;
      }
    }
    if (abs === 0) continue;
    const distance = steps === undefined ? Number.POSITIVE_INFINITY : (steps[i] as number);
    if (steps !== undefined && distance > maxUlp) maxUlp = distance;
    const isClose = abs <= atol + rtol * magnitude && abs !== Number.POSITIVE_INFINITY;
    if (!isClose && distance > rule.steps) mismatched++;
  }
  tally.mismatched = mismatched;
  tally.finite = finite;
  tally.maxUlp = maxUlp;
  tally.maxAbs = { value: maxAbs, position: maxAbsAt };
  tally.maxRel = { value: maxRel, position: maxRelAt };
}
