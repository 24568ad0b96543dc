import { formatNumber, formatTensorType } from '../cli/format.js';
import type { JsonValue } from '../core/model/json.js';
import type { CallResult, Extreme, OutputComparison } from '../core/model/verdict.js';
import { jsonText } from './json-text.js';

const LONGEST_VALUE = 200;

/** Lines about one output that does not match: what, how much, where, against which tolerance. Not yet printable. */
export function describeMismatch(output: OutputComparison): string[] {
  if (output.kind === 'value') return describeValue(output);
  const type = output.dtype === undefined ? '' : ` ${formatTensorType(output.dtype, output.shape ?? [])}`;
  if (output.mismatched === undefined || output.reason !== undefined) {
    return [`${output.key}${type}: ${output.reason ?? 'differs'}`, ...figures(output)];
  }
  return [
    `${output.key}${type}: ${output.mismatched} of ${output.elements ?? 0} elements differ`,
    ...figures(output),
  ];
}

/** What a call's result says beyond its outputs: errors, where repeats differ. Not yet printable. */
export function describeProblem(result: CallResult): string[] {
  const lines: string[] = [];
  if (result.error !== undefined) lines.push(`${result.error.name}: ${result.error.message}`);
  for (const { key, elements, maxAbs } of result.repeats?.differing ?? []) {
    lines.push(
      `${key}: ${elements} elements differ between ${result.repeats?.runs ?? 0} runs, at most by ${formatNumber(maxAbs)}`,
    );
  }
  return lines;
}

function figures(output: OutputComparison): string[] {
  const { maxAbs, maxRel, rmse, cosine, maxUlp, nan, inf, tolerance } = output;
  const lines: string[] = [];
  if (maxAbs !== undefined) lines.push(`  max abs ${describeExtreme(maxAbs)}`);
  if (maxRel !== undefined) lines.push(`  max rel ${describeExtreme(maxRel)}`);
  const measures = [
    ...(rmse === undefined ? [] : [`rmse ${formatNumber(rmse)}`]),
    ...(cosine === undefined ? [] : [`cosine ${formatNumber(cosine)}`]),
    ...(maxUlp === undefined ? [] : [`max ulp ${formatNumber(maxUlp)}`]),
    ...(nan === undefined || nan === 0 ? [] : [`${nan} NaN`]),
    ...(inf === undefined || inf === 0 ? [] : [`${inf} infinite`]),
  ];
  if (measures.length > 0) lines.push(`  ${measures.join(', ')}`);
  if (tolerance !== undefined) {
    const ratio = tolerance.ratio === undefined ? '' : `, ratio ${formatNumber(tolerance.ratio)}`;
    lines.push(
      `  tolerance: rtol ${formatNumber(tolerance.rtol)}, atol ${formatNumber(tolerance.atol)}${ratio} (${tolerance.source})`,
    );
  }
  return lines;
}

function describeExtreme({ value, index, actual, expected }: Extreme): string {
  return `${formatNumber(value)} at [${index.join(',')}]: actual ${shortValue(actual)}, expected ${shortValue(expected)}`;
}

function describeValue(output: OutputComparison): string[] {
  const { key, reason, actual, expected } = output;
  const lines = [`${key}: ${reason ?? 'differs'}`];
  if (expected !== undefined || actual !== undefined) {
    lines.push(`  actual ${shortValue(actual)}, expected ${shortValue(expected)}`);
  }
  return lines;
}

function shortValue(value: JsonValue | undefined): string {
  if (value === undefined) return 'nothing';
  const text = typeof value === 'number' ? String(value) : jsonText(value);
  return text.length <= LONGEST_VALUE ? text : `${text.slice(0, LONGEST_VALUE)}…`;
}
