import { formatBytes, formatCount } from '../../cli/format.js';
import { printable } from '../../cli/printable.js';
import type { FilterOptions, FilterResult } from '../../core/retain/index.js';

/** `3 calls selected of 1002, 2 added because they need them; 5 calls, 1.2 MiB (was 80.0 MiB) in out`. */
export function filterSummaryLine(
  { plan, bytesBefore, written, packedBytes }: FilterResult,
  { destination, pack }: Pick<FilterOptions, 'destination' | 'pack'>,
): string {
  const { calls, selected, added, leftOut } = plan;
  const need = selected.length === 1 ? 'it needs' : 'they need';
  const what = [
    `${formatCount(selected.length, 'call')} selected of ${calls}`,
    ...(added.length > 0
      ? [`${added.length} added because ${need} ${added.length === 1 ? 'it' : 'them'}`]
      : []),
    ...(leftOut.length > 0 ? [`${leftOut.length} that ${need} left out`] : []),
  ].join(', ');
  if (selected.length === 0) return `${what}; nothing to write`;
  if (written === undefined) {
    return `${what}; ${formatCount(selected.length + added.length, 'call')} would be written`;
  }
  const before = bytesBefore === undefined ? '' : ` (was ${formatBytes(bytesBefore)})`;
  const places = [
    ...(destination === undefined ? [] : [`in ${printable(destination)}`]),
    ...(packedBytes === undefined ? [] : [`as ${formatBytes(packedBytes)} in ${printable(pack ?? '')}`]),
  ];
  return `${what}; ${formatCount(written.calls, 'call')}, ${formatBytes(written.bytes)}${before} ${places.join(', ')}`;
}
