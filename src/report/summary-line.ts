import { formatCount } from '../cli/format.js';
import type { ReplaySummary } from '../core/model/verdict.js';

/**
 * The last line of a replay, always with its denominator:
 * `61 passed, 2 ran, 1 mismatch, 0 skipped of 64 calls (118 outputs compared)`.
 */
export function summaryLine(summary: ReplaySummary): string {
  const parts = [
    `${summary.pass} passed`,
    `${summary.ran} ran`,
    `${summary.mismatch} ${summary.mismatch === 1 ? 'mismatch' : 'mismatches'}`,
    ...(summary.error > 0 ? [formatCount(summary.error, 'error')] : []),
    ...(summary.crashed > 0 ? [`${summary.crashed} crashed`] : []),
    ...(summary.timeout > 0 ? [formatCount(summary.timeout, 'timeout')] : []),
    ...(summary.unstable > 0 ? [`${summary.unstable} unstable`] : []),
    ...(summary.unchecked > 0 ? [`${summary.unchecked} unchecked`] : []),
    `${summary.skipped} skipped`,
  ];
  const compared = `${formatCount(summary.outputsCompared, 'output')} compared`;
  const reproduced =
    summary.reproduced > 0 ? `, ${formatCount(summary.reproduced, 'failure')} reproduced` : '';
  return `${parts.join(', ')} of ${formatCount(summary.calls, 'call')} (${compared}${reproduced})`;
}
