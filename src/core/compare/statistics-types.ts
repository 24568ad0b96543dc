/**
 * Counts per bin. `edges` has one more entry than `counts` and never decreases; bin `i` holds `edges[i] <= x <
 * edges[i + 1]`, the last bin also its upper edge. Where edges coincide the highest such bin counts.
 */
export interface Histogram {
  edges: number[];
  counts: number[];
}

/**
 * Statistics of one tensor. `min`, `max`, `mean`, `std` and `histogram` are over finite elements and absent where
 * there are none, or for bool. Complex elements count by their modulus.
 */
export interface TensorStatistics {
  elements: number;
  nan: number;
  inf: number;
  /** Elements equal to 0, -0 included. */
  zeros: number;
  /** Elements that are true; bool only. */
  trues?: number;
  /** Exact, as bigint, for int64 and uint64. */
  min?: number | bigint;
  max?: number | bigint;
  mean?: number;
  /** Of the population: divided by the count, not the count less one. */
  std?: number;
  histogram?: Histogram;
}

/** Statistics of a string tensor; lengths are in UTF-8 bytes and absent where there are no elements. */
export interface StringStatistics {
  elements: number;
  minBytes?: number;
  maxBytes?: number;
}

export interface SummaryOptions {
  /** Element count, for int4 and uint4 of an odd count, whose last byte holds padding. Default: all that is there. */
  elements?: number;
  /** Of the histogram, from 1; default 16. */
  bins?: number;
}
