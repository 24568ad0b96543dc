import { formatBytes, formatCount } from '../../cli/format.js';
import type { PruneOptions, PrunePlan, PruneResult } from '../../core/retain/index.js';

/** `55 of 65 calls, 512.3 KiB of 685.2 KiB`. */
export function planLine(plan: PrunePlan): string {
  const bytes = Math.max(0, plan.bytes - plan.bytesLeft);
  return `${plan.droppedCalls} of ${formatCount(plan.calls, 'call')} would go, ${formatBytes(bytes)} of ${formatBytes(plan.bytes)}`;
}

/** `55 of 65 calls dropped, 512.3 KiB of 685.2 KiB; 10 calls, 172.9 KiB left`. */
export function pruneSummaryLine({ plan, isDone }: PruneResult, { dryRun }: PruneOptions): string {
  const left = `${formatCount(plan.callsLeft, 'call')}, ${formatBytes(plan.bytesLeft)}`;
  const over = plan.isWithinBounds ? '' : `, more than ${boundsText(plan)}: the rest is kept or needed`;
  if (plan.isEmpty) return `nothing to drop of ${left}${over}`;
  if (!isDone) return dryRun ? `${planLine(plan)}; ${left} would be left${over}` : 'nothing was dropped';
  return `${planLine(plan).replace(' would go', ' dropped')}; ${left} left${over}`;
}

function boundsText({ bounds }: PrunePlan): string {
  return [
    ...(bounds.calls === undefined ? [] : [formatCount(bounds.calls, 'call')]),
    ...(bounds.bytes === undefined ? [] : [formatBytes(bounds.bytes)]),
  ].join(' or ');
}
