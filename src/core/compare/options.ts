import type { DtypeName } from '../model/dtype.js';
import type { NanRule, PresetName } from '../model/tolerance.js';

/**
 * How outputs are compared. In every list of rules the last one that matches wins, so a general rule is
 * followed by its exceptions. Patterns are case-sensitive fnmatch: `pattern` over the function's name, `key` over
 * the tensor key; a rule without `key` holds for every key.
 */
export interface ComparisonOptions {
  preset: PresetName;
  nan: NanRule;
  /** float8 and float4 elements also match when at most this many representable values apart; absent: 0. */
  ulp?: number;
  rules: readonly ToleranceRule[];
  ignore: readonly IgnoreRule[];
  as: readonly AsRule[];
}

/** `--tolerance 'pattern[:key]=rtol,atol[,ratio]'`. */
export interface ToleranceRule {
  pattern: string;
  key?: string;
  rtol: number;
  atol: number;
  /** Of elements that must match, above 0 and at most 1; absent means all. */
  ratio?: number;
}

/** `--ignore 'pattern:key'`: such outputs are not compared. */
export interface IgnoreRule {
  pattern: string;
  key: string;
}

/** `--as 'pattern:key=dtype'`: the element type that such bytes really have. */
export interface AsRule {
  pattern: string;
  key: string;
  dtype: DtypeName;
}

/** The options of a replay that was told nothing. */
export function defaultComparison(): ComparisonOptions {
  return { preset: 'default', nan: 'equal', rules: [], ignore: [], as: [] };
}
