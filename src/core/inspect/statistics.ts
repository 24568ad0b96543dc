import { summariseTensor } from '../compare/index.js';
import type { DtypeName } from '../model/dtype.js';
import type { LayoutStatistics } from '../model/tensor.js';
import type { InspectStatistics, JsonNumber } from './types.js';

/** Statistics of a tensor's logical values; `chunks` gives them anew at every call. None for strings. */
export function statisticsOf(
  dtype: DtypeName,
  elements: number,
  chunks: () => Iterable<Uint8Array>,
): InspectStatistics | undefined {
  if (dtype === 'string') return undefined;
  const { min, max, mean, std, nan, inf, zeros, trues, histogram } = summariseTensor(dtype, chunks, {
    elements,
  });
  return {
    min: jsonNumber(min),
    max: jsonNumber(max),
    mean: jsonNumber(mean),
    std: jsonNumber(std),
    nan,
    inf,
    zeros,
    ...(trues === undefined ? {} : { trues }),
    ...(histogram === undefined
      ? {}
      : { histogram: { edges: histogram.edges.map(toJsonNumber), counts: histogram.counts } }),
  };
}

/** Those that were kept of values that were left out. */
export function recordedStatistics(stats: LayoutStatistics): InspectStatistics {
  const { min, max, mean, std, nan = 0, inf = 0, zeros = 0, trues } = stats;
  return {
    min: jsonNumber(min),
    max: jsonNumber(max),
    mean: jsonNumber(mean),
    std: jsonNumber(std),
    nan,
    inf,
    zeros,
    ...(trues === undefined ? {} : { trues }),
  };
}

function jsonNumber(value: number | bigint | undefined): JsonNumber | null {
  return value === undefined ? null : toJsonNumber(value);
}

function toJsonNumber(value: number | bigint): JsonNumber {
  if (typeof value === 'bigint' || Number.isFinite(value)) return value;
  if (Number.isNaN(value)) return 'NaN';
  return value > 0 ? 'Infinity' : '-Infinity';
}
