import { dtypeOf } from '../dtype/index.js';
import { FirError } from '../errors.js';
import type { AsRule, IgnoreRule, ToleranceRule } from './options.js';

const TOLERANCE_EXAMPLE = "--tolerance 'mm_*:result=1e-2,1e-3,0.99'";
const IGNORE_EXAMPLE = "--ignore 'attention*:result_1'";
const AS_EXAMPLE = "--as 'fp4_quantize:result=float4_e2m1fn_x2'";

/**
 * Parses `pattern[:key]=rtol,atol[,ratio]`. The last `=` ends the pattern; a `::` belongs to the pattern, a single
 * `:` begins the key. rtol and atol are finite and not negative; ratio is above 0 and at most 1.
 */
export function parseTolerance(text: string): ToleranceRule {
  const fail: Fail = failWith('--tolerance', text, TOLERANCE_EXAMPLE);
  const { target, value } = splitAtEquals(text, fail);
  const { pattern, key } = splitTarget(target);
  if (pattern === '' || key === '') fail('has an empty pattern or key');
  const parts = value.split(',');
  const [rtolText, atolText, ratioText] = parts;
  if (rtolText === undefined || atolText === undefined || parts.length > 3) {
    const count = parts.length === 1 ? '1 number' : `${parts.length} numbers`;
    fail(`has ${count} after '='; it takes rtol,atol or rtol,atol,ratio`);
  }
  const rtol = parseNumber('rtol', rtolText, fail);
  const atol = parseNumber('atol', atolText, fail);
  const rule: ToleranceRule = { pattern, ...(key === undefined ? {} : { key }), rtol, atol };
  if (ratioText === undefined) return rule;
  const ratio = parseNumber('ratio', ratioText, fail);
  if (ratio <= 0 || ratio > 1) fail(`has ratio ${ratioText.trim()}; it must be above 0 and at most 1`);
  return { ...rule, ratio };
}

/** Parses `pattern:key`. */
export function parseIgnore(text: string): IgnoreRule {
  const fail: Fail = failWith('--ignore', text, IGNORE_EXAMPLE);
  return requireKey(splitTarget(text), fail);
}

/** Parses `pattern:key=dtype`. */
export function parseAs(text: string): AsRule {
  const fail: Fail = failWith('--as', text, AS_EXAMPLE);
  const { target, value } = splitAtEquals(text, fail);
  const { pattern, key } = requireKey(splitTarget(target), fail);
  try {
    return { pattern, key, dtype: dtypeOf(value.trim()).name };
  } catch {
    return fail(`names '${value.trim()}', which is no dtype`);
  }
}

type Fail = (problem: string) => never;

function failWith(flag: string, text: string, example: string): Fail {
  return (problem) => {
    throw new FirError('USAGE', `${flag} '${text}' ${problem}`, { hint: `Write it like ${example}` });
  };
}

function splitAtEquals(text: string, fail: Fail): { target: string; value: string } {
  const at = text.lastIndexOf('=');
  if (at < 0) fail("has no '='");
  return { target: text.slice(0, at), value: text.slice(at + 1) };
}

function splitTarget(target: string): { pattern: string; key: string | undefined } {
  const at = target.lastIndexOf(':');
  if (at < 0 || target[at - 1] === ':') return { pattern: target, key: undefined };
  return { pattern: target.slice(0, at), key: target.slice(at + 1) };
}

function requireKey(parts: { pattern: string; key: string | undefined }, fail: Fail): IgnoreRule {
  const { pattern, key } = parts;
  if (key === undefined) fail("has no ':key'");
  if (pattern === '' || key === '') fail('has an empty pattern or key');
  return { pattern, key };
}

function parseNumber(name: string, text: string, fail: Fail): number {
  const value = /^\s*(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(text) ? Number(text) : Number.NaN;
  if (!Number.isFinite(value))
    fail(`has ${name} '${text.trim()}', which is not a finite number of at least 0`);
  return value;
}
