import { modulus } from './modulus.js';
import { type DecodedBlock, type MatchRule, type Tally, tallyNonFinite } from './tally.js';

/**
 * Adds a block of complex numbers, each a real and an imaginary part. A finite pair matches when the modulus of the
 * difference is at most `atol + rtol * |e|`; the figures are of moduli as well. A number with a NaN part is NaN; else one
 * with an infinite part is infinite, and matches only the number whose parts both equal its own.
 */
export function tallyComplex(tally: Tally, block: DecodedBlock, rule: MatchRule): void {
  const { actual, expected, difference, begin } = block;
  for (let i = 0; i < actual.length; i += 2) {
    const aRe = actual[i] as number;
    const aIm = actual[i + 1] as number;
    const eRe = expected[i] as number;
    const eIm = expected[i + 1] as number;
    const position = begin + i / 2;
    if (!(isFinitePair(aRe, aIm) && isFinitePair(eRe, eIm))) {
      const actualNan = Number.isNaN(aRe) || Number.isNaN(aIm);
      const expectedNan = Number.isNaN(eRe) || Number.isNaN(eIm);
      tallyNonFinite(tally, rule, position, {
        actualNan,
        expectedNan,
        actualInf: !actualNan && !isFinitePair(aRe, aIm),
        expectedInf: !expectedNan && !isFinitePair(eRe, eIm),
        equal: aRe === eRe && aIm === eIm,
      });
      actual.fill(0, i, i + 2);
      expected.fill(0, i, i + 2);
      difference.fill(0, i, i + 2);
      continue;
    }
    tally.finite++;
    difference[i] = aRe - eRe;
    difference[i + 1] = aIm - eIm;
    const abs = modulus(aRe - eRe, aIm - eIm);
    const magnitude = modulus(eRe, eIm);
    const relative = magnitude === 0 ? -1 : abs / magnitude;
    if (abs > tally.maxAbs.value) tally.maxAbs = { value: abs, position };
    if (relative > tally.maxRel.value) tally.maxRel = { value: relative, position };
    if (!(abs <= rule.atol + rule.rtol * magnitude) || abs === Number.POSITIVE_INFINITY) tally.mismatched++;
  }
}

function isFinitePair(re: number, im: number): boolean {
  return Number.isFinite(re) && Number.isFinite(im);
}
