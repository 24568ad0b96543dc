import { formatBytes, formatNumber, formatTensorType } from '../../cli/format.js';
import { printable } from '../../cli/printable.js';
import type { InspectStatistics, InspectTensor, JsonNumber } from '../../core/inspect/index.js';
import { isContiguousLayout } from '../../core/tensor/index.js';

const BARS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const SHOWN_IN_CELL = 4;

/** A table cell: `float32[1,512], int64[]`, and how many more there are. */
export function tensorsCell(tensors: readonly InspectTensor[]): string {
  const shown = tensors.slice(0, SHOWN_IN_CELL).map(typeOf);
  const hidden = tensors.length - shown.length;
  return [...shown, ...(hidden > 0 ? [`+${hidden}`] : [])].join(', ');
}

/** Printable: `float32[1,512]`, or `?` where the layout can't be had. */
function typeOf({ dtype, shape }: InspectTensor): string {
  return dtype === undefined ? '?' : printable(formatTensorType(dtype, shape ?? []));
}

/** One line about a tensor: its key, type, layout where it is not the plain one, and sharing. Printable. */
export function tensorLine(tensor: InspectTensor): string {
  const parts = [`${printable(tensor.key)} ${typeOf(tensor)}`];
  if (tensor.bytes !== undefined) {
    const stored = tensor.storedBytes === undefined ? '' : ` of ${formatBytes(tensor.storedBytes)} stored`;
    parts.push(`${formatBytes(tensor.bytes)}${stored}`);
  }
  if (tensor.parameter === true) parts.push('parameter');
  else if (tensor.requiresGrad === true) parts.push('requires grad');
  if (tensor.stride !== undefined && !isPlain(tensor)) parts.push(`stride [${tensor.stride.join(',')}]`);
  if (tensor.offset !== undefined && tensor.offset !== 0) parts.push(`offset ${tensor.offset}`);
  if (tensor.device !== undefined && tensor.device !== 'cpu') parts.push(printable(tensor.device));
  if (tensor.sharedWith !== undefined && tensor.sharedWith.length > 0) {
    parts.push(`shares its storage with ${tensor.sharedWith.map(printable).join(', ')}`);
  }
  return parts.join('  ');
}

function isPlain({ shape = [], stride = [] }: InspectTensor): boolean {
  return isContiguousLayout(shape, stride);
}

/** What was asked for beyond the layout, a line each: statistics, hash, why values can't be had. Printable. */
export function tensorExtras(tensor: {
  stats?: InspectStatistics;
  sha256?: string;
  error?: string;
}): string[] {
  return [
    ...(tensor.stats === undefined ? [] : [statisticsLine(tensor.stats)]),
    ...(tensor.sha256 === undefined ? [] : [`sha256 ${printable(tensor.sha256)}`]),
    ...(tensor.error === undefined ? [] : [printable(tensor.error)]),
  ];
}

function statisticsLine({ min, max, mean, std, nan, inf, histogram }: InspectStatistics): string {
  const values = Object.entries({ min, max, mean, std })
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name} ${numberText(value)}`);
  const counts = histogram === undefined ? [] : [bars(histogram.counts)];
  return [...values, `nan ${nan}`, `inf ${inf}`, ...counts].join('  ');
}

function numberText(value: JsonNumber | null): string {
  return typeof value === 'number' ? formatNumber(value) : String(value);
}

function bars(counts: readonly number[]): string {
  const most = Math.max(1, ...counts);
  return counts
    .map((count) => (count === 0 ? ' ' : BARS[Math.ceil((count / most) * BARS.length) - 1]))
    .join('');
}
