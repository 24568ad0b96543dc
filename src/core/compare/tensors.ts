import { dtypeOf } from '../dtype/index.js';
import type { Tolerance } from '../model/tolerance.js';
import type { Extreme, OutputComparison } from '../model/verdict.js';
import type { Tensor } from '../tensor/index.js';
import { packedPerElement } from './decode.js';
import { indexOf, valueAt } from './element.js';
import { type Figures, measureDifference } from './measure.js';
import type { ComparisonOptions } from './options.js';
import type { Peak, Tally } from './tally.js';
import { isSmallFloat } from './tolerances.js';

/**
 * Compares two tensors element by element, in logical order whatever their layouts. The two must have the same dtype
 * and shape; strides that differ are a note. The verdict is `pass` when the matched share of the elements is at least
 * `tolerance.ratio` (1 where absent; no elements pass).
 *
 * When a pair matches, computed in float64:
 * - real floats, both finite: `|a - e| <= atol + rtol * |e|`, or, for float8 and float4, at most `options.ulp`
 *   representable values apart; a difference that overflows never matches;
 * - complex, both finite: the same over moduli;
 * - integers: equal, whatever rtol and atol say; bool: both zero or both not;
 * - infinities: equal ones; NaN (for complex, in either part): both NaN, unless `options.nan` is `unequal`.
 *
 * What is counted:
 * - `elements` and `mismatched`; packed float4 counts values, two to a byte of its shape;
 * - `nan`, `inf` (floats and complex): elements where either side is, an element of NaN and infinity in both.
 *
 * The error figures are over the pairs of finite values, and absent where there are none and for bool:
 * - `maxAbs`: greatest |a - e|, for complex the modulus, its first place in logical order, and both values exactly
 *   (bigint for 64-bit integers, [real, imaginary] for complex). The value is exact for integers below 2^53, rounded above;
 * - `maxRel`: greatest |a - e| / |e| over pairs whose e is not 0; absent where every e is;
 * - `rmse`: root of the mean of |a - e|^2; `cosine`: of the angle between the two as vectors (complex: of their parts),
 *   1 where no finite pair differs or both are zero vectors, 0 where one is. The last digits of these two depend on the order
 *   of summation;
 * - `maxUlp` (real floats): greatest distance in representable values, +0 and -0 being one; float64 distances above 2^53
 *   are rounded.
 *
 * Strings are no tensors: `compareStrings` takes them.
 */
export function compareTensors(
  key: string,
  actual: Tensor,
  expected: Tensor,
  tolerance: Tolerance,
  options: Pick<ComparisonOptions, 'nan' | 'ulp'>,
): OutputComparison {
  const { dtype } = expected;
  const { kind } = dtypeOf(dtype);
  const isInexact = kind === 'float' || kind === 'complex';
  const applied = isInexact ? tolerance : { ...tolerance, rtol: 0, atol: 0 };
  const head = { key, kind: 'tensor' as const, dtype, shape: [...expected.shape], tolerance: applied };
  const reason = layoutDifference(actual, expected);
  if (reason !== undefined) return { ...head, verdict: 'mismatch', reason };

  const figures = measureDifference(actual, expected, {
    rtol: applied.rtol,
    atol: applied.atol,
    nan: options.nan,
    steps: isSmallFloat(dtype) ? (options.ulp ?? -1) : -1,
  });
  const { tally } = figures;
  const elements = expected.elements * packedPerElement(dtype);
  const isPass = passesRatio(tally.mismatched, elements, tolerance.ratio);
  const atNonFinite = describeNonFinite(tally, expected);
  const notes = [describeStrides(actual, expected), isPass ? atNonFinite : undefined].filter(isDefined);
  return {
    ...head,
    verdict: isPass ? 'pass' : 'mismatch',
    elements,
    mismatched: tally.mismatched,
    ...(isInexact ? { nan: tally.nan, inf: tally.inf } : {}),
    ...errorFigures(figures, actual, expected),
    ...(atNonFinite === undefined || isPass ? {} : { reason: atNonFinite }),
    ...(notes.length === 0 ? {} : { notes }),
  };
}

/** Whether enough elements match: all of them, or at least `ratio` of them. */
export function passesRatio(mismatched: number, elements: number, ratio: number | undefined): boolean {
  return mismatched === 0 || (ratio !== undefined && (elements - mismatched) / elements >= ratio);
}

function layoutDifference(actual: Tensor, expected: Tensor): string | undefined {
  const differences: string[] = [];
  if (actual.dtype !== expected.dtype) {
    differences.push(`dtype differs: ${actual.dtype}, recorded ${expected.dtype}`);
  }
  if (!isSameList(actual.shape, expected.shape)) {
    differences.push(`shape differs: [${actual.shape}], recorded [${expected.shape}]`);
  }
  return differences.length === 0 ? undefined : differences.join('; ');
}

/** Strides of dimensions that are never stepped along say nothing. */
function describeStrides(actual: Tensor, expected: Tensor): string | undefined {
  const isStepped = (_: number, dim: number) => (expected.shape[dim] ?? 0) > 1;
  const isSame = isSameList(actual.stride.filter(isStepped), expected.stride.filter(isStepped));
  if (isSame || expected.elements === 0) return undefined;
  return `stride differs: [${actual.stride}], recorded [${expected.stride}]`;
}

function describeNonFinite(tally: Tally, expected: Tensor): string | undefined {
  const { nonFiniteMismatched: count } = tally;
  if (count === 0) return undefined;
  const index = indexOf(expected.shape, expected.dtype, tally.firstNonFiniteMismatch);
  return `NaN or infinity differs at ${count} element${count === 1 ? '' : 's'}, first at [${index}]`;
}

function errorFigures(figures: Figures, actual: Tensor, expected: Tensor): Partial<OutputComparison> {
  const { tally, rmse, cosine } = figures;
  if (rmse === undefined || cosine === undefined) return {};
  const extremeOf = ({ value, position }: Peak): Extreme => ({
    value,
    index: indexOf(expected.shape, expected.dtype, position),
    actual: valueAt(actual, position),
    expected: valueAt(expected, position),
  });
  return {
    maxAbs: extremeOf(tally.maxAbs),
    ...(tally.maxRel.position < 0 ? {} : { maxRel: extremeOf(tally.maxRel) }),
    rmse,
    cosine,
    ...(dtypeOf(expected.dtype).kind === 'float' ? { maxUlp: tally.maxUlp } : {}),
  };
}

function isSameList(left: readonly number[], right: readonly number[]): boolean {
  return left.length === right.length && left.every((value, i) => value === right[i]);
}

function isDefined<Value>(value: Value | undefined): value is Value {
  return value !== undefined;
}
