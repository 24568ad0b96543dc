import { dtypeOf } from '../dtype/index.js';
import type { DtypeName } from '../model/dtype.js';
import type { Tolerance } from '../model/tolerance.js';
import { matchesPattern } from '../select/index.js';
import type { ComparisonOptions, ToleranceRule } from './options.js';

/** rtol and atol of `torch.testing.assert_close`; complex types have those of their parts. */
const DEFAULTS: Partial<Record<DtypeName, { rtol: number; atol: number }>> = {
  float64: { rtol: 1e-7, atol: 1e-7 },
  float32: { rtol: 1.3e-6, atol: 1e-5 },
  float16: { rtol: 1e-3, atol: 1e-5 },
  bfloat16: { rtol: 1.6e-2, atol: 1e-5 },
  complex128: { rtol: 1e-7, atol: 1e-7 },
  complex64: { rtol: 1.3e-6, atol: 1e-5 },
};
const FLASHINFER = { rtol: 1e-3, atol: 1e-3 };
const EXACT = { rtol: 0, atol: 0 };

/**
 * The tolerance for one output. The last rule of `options.rules` that matches the function's name and the key wins
 * over the preset. Integers, bools and strings stay exact whatever rtol and atol a rule gives (its ratio holds: it
 * says how many elements must match, not how closely). float8 and float4 are exact in every preset; a rule loosens
 * them, and so does `options.ulp`. `source` says where the numbers came from, for a report to print.
 */
export function toleranceFor(
  options: Pick<ComparisonOptions, 'preset' | 'rules' | 'ulp'>,
  functionName: string,
  key: string,
  dtype: DtypeName,
): Tolerance {
  const rule = lastMatch(options.rules, functionName, key);
  const ratio = rule?.ratio === undefined ? {} : { ratio: rule.ratio };
  if (!isInexact(dtype)) {
    const source =
      rule?.ratio === undefined ? `exact (${dtype})` : `exact (${dtype}), ratio of ${textOf(rule)}`;
    return { ...EXACT, ...ratio, source };
  }
  const steps = isSmallFloat(dtype) && options.ulp ? `within --ulp ${options.ulp}` : undefined;
  if (rule !== undefined) {
    const source = steps === undefined ? textOf(rule) : `${textOf(rule)}, or ${steps}`;
    return { rtol: rule.rtol, atol: rule.atol, ...ratio, source };
  }
  const byDefault = DEFAULTS[dtype];
  if (byDefault === undefined) return { ...EXACT, source: steps ?? `exact (${dtype})` };
  const numbers = { default: byDefault, flashinfer: FLASHINFER, exact: EXACT }[options.preset];
  return { ...numbers, source: `preset ${options.preset} (${dtype})` };
}

/** Whether an `--ignore` rule leaves this output out of the comparison. */
export function isIgnored(
  options: Pick<ComparisonOptions, 'ignore'>,
  functionName: string,
  key: string,
): boolean {
  return lastMatch(options.ignore, functionName, key) !== undefined;
}

/** The dtype that the last matching `--as` rule gives this output; undefined where none matches. */
export function dtypeFor(
  options: Pick<ComparisonOptions, 'as'>,
  functionName: string,
  key: string,
): DtypeName | undefined {
  return lastMatch(options.as, functionName, key)?.dtype;
}

/** float8 and float4: the types that `--ulp` is about. */
export function isSmallFloat(dtype: DtypeName): boolean {
  return dtype.startsWith('float8_') || dtype.startsWith('float4_');
}

function lastMatch<Rule extends { pattern: string; key?: string }>(
  rules: readonly Rule[],
  functionName: string,
  key: string,
): Rule | undefined {
  return rules.findLast(
    (rule) =>
      matchesPattern(rule.pattern, functionName) && (rule.key === undefined || matchesPattern(rule.key, key)),
  );
}

function isInexact(dtype: DtypeName): boolean {
  const { kind } = dtypeOf(dtype);
  return kind === 'float' || kind === 'complex';
}

function textOf(rule: ToleranceRule): string {
  return `--tolerance '${rule.key === undefined ? rule.pattern : `${rule.pattern}:${rule.key}`}'`;
}
