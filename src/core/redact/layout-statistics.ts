import { summariseStrings, summariseTensor } from '../compare/index.js';
import type { DtypeName } from '../model/dtype.js';
import type { LayoutStatistics } from '../model/tensor.js';

/**
 * What is kept of a tensor's values. No histogram: of few elements it tells as much as they do. `chunks` gives `elements`
 * of them anew at every call; each stands for `repeats` elements of the tensor.
 */
export function layoutStatistics(
  dtype: DtypeName,
  elements: number,
  chunks: () => Iterable<Uint8Array>,
  repeats = 1,
): LayoutStatistics {
  const { min, max, mean, std, nan, inf, zeros, trues } = summariseTensor(dtype, chunks, { elements });
  return {
    ...(min === undefined || max === undefined ? {} : { min, max }),
    ...(mean === undefined ? {} : { mean }),
    ...(std === undefined ? {} : { std }),
    nan: nan * repeats,
    inf: inf * repeats,
    zeros: zeros * repeats,
    ...(trues === undefined ? {} : { trues: trues * repeats }),
  };
}

/** Of strings only how long the shortest and the longest are. */
export function stringStatistics(strings: Iterable<string>): LayoutStatistics {
  const { minBytes, maxBytes } = summariseStrings(strings);
  return minBytes === undefined || maxBytes === undefined ? {} : { minBytes, maxBytes };
}
