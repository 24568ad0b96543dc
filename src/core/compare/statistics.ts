import { decodeToBigInt } from '../dtype/index.js';
import type { DtypeName } from '../model/dtype.js';
import { CompensatedSum } from './compensated-sum.js';
import { decodeMagnitudes, type ElementBlock, elementBlocks } from './element-blocks.js';
import { HistogramCounter, unitOf } from './histogram.js';
import type { StringStatistics, SummaryOptions, TensorStatistics } from './statistics-types.js';

const DEFAULT_BINS = 16;
/** 2^53 values up to this can be summed without overflow. */
const SAFE_TO_SUM = 2 ** 960;
const SUM_UNIT = 2 ** 64;

/**
 * Statistics of a tensor from its logical little-endian bytes, which `chunks` gives anew at every call, cut anywhere.
 * They are read twice, a third time where a plain sum could overflow. Everything is float64, over finite elements:
 * - `min` and `max` exactly, -0 as 0 (bigint for int64 and uint64, whose other figures round values to float64);
 * - `mean`: a compensated (Neumaier) sum over the count, held between min and max;
 * - `std`: root of the mean squared deviation from that mean, corrected for what the mean was rounded by;
 * - `histogram`: bins of equal width from min to max, or one bin where those are equal.
 *
 * A complex element counts by its modulus, as NaN where a part is NaN, else as infinite where a part or the modulus is.
 * Packed float4 counts values, two to a byte. bool has only counts.
 *
 * @throws FirError TENSOR_INVALID where the chunks end inside an element; TENSOR_UNSUPPORTED for strings.
 */
export function summariseTensor(
  dtype: DtypeName,
  chunks: () => Iterable<Uint8Array>,
  options: SummaryOptions = {},
): TensorStatistics {
  const blocks = () => elementBlocks(dtype, chunks(), options.elements ?? Number.POSITIVE_INFINITY);
  const { sum, min, max, exact, ...counts } = scanBlocks(dtype, blocks());
  const { elements, nan, inf, zeros } = counts;
  if (dtype === 'bool') return { ...counts, trues: elements - zeros };
  const finite = elements - nan - inf;
  if (finite === 0) return counts;

  const isSafe = Math.max(-min, max) <= SAFE_TO_SUM;
  const rawMean = isSafe ? sum / finite : (sumInUnits(dtype, blocks()) / finite) * SUM_UNIT;
  const mean = Math.max(min, Math.min(max, rawMean));
  const histogram = new HistogramCounter(min, max, options.bins ?? DEFAULT_BINS);
  const std = measureSpread(dtype, blocks(), { min, max, mean, finite }, histogram);
  return { ...counts, min, max, ...exact, mean, std, histogram: histogram.result };
}

/** Statistics of the strings of a tensor. */
export function summariseStrings(strings: Iterable<string>): StringStatistics {
  let elements = 0;
  let minBytes = Number.POSITIVE_INFINITY;
  let maxBytes = 0;
  for (const text of strings) {
    const bytes = Buffer.byteLength(text);
    elements++;
    minBytes = Math.min(minBytes, bytes);
    maxBytes = Math.max(maxBytes, bytes);
  }
  return elements === 0 ? { elements } : { elements, minBytes, maxBytes };
}

interface Scan {
  elements: number;
  nan: number;
  inf: number;
  zeros: number;
  /** Over finite values; Infinity and -Infinity where there are none. */
  min: number;
  max: number;
  sum: number;
  /** The extremes of 64-bit integers with all digits; else undefined. */
  exact: Extremes | undefined;
}

interface Extremes {
  min: bigint;
  max: bigint;
}

function scanBlocks(dtype: DtypeName, blocks: Iterable<ElementBlock>): Scan {
  const counts = { elements: 0, nan: 0, inf: 0, zeros: 0 };
  const sum = new CompensatedSum();
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  let exact: Extremes | undefined;
  for (const block of blocks) {
    const values = decodeMagnitudes(dtype, block);
    counts.elements += values.length;
    for (let i = 0; i < values.length; i++) {
      const value = values[i] as number;
      if (!Number.isFinite(value)) {
        if (Number.isNaN(value)) counts.nan++;
        else counts.inf++;
        continue;
      }
      if (value === 0) counts.zeros++;
      if (value < min) min = value;
      if (value > max) max = value;
      sum.add(value);
    }
    if (dtype === 'int64' || dtype === 'uint64') {
      exact = exactExtremes(decodeToBigInt(dtype, block.bytes), values, { min, max }, exact);
    }
  }
  // Adding 0 turns -0 into 0.
  return { ...counts, min: min + 0, max: max + 0, sum: sum.total, exact };
}

/** Only integers that round to an extreme can be one, since rounding keeps order. */
function exactExtremes(
  words: BigInt64Array | BigUint64Array,
  rounded: Float64Array,
  { min, max }: { min: number; max: number },
  before: Extremes | undefined,
): Extremes | undefined {
  let extremes = before;
  for (let i = 0; i < rounded.length; i++) {
    if (rounded[i] !== min && rounded[i] !== max) continue;
    const word = words[i] as bigint;
    if (extremes === undefined) extremes = { min: word, max: word };
    else if (word < extremes.min) extremes.min = word;
    else if (word > extremes.max) extremes.max = word;
  }
  return extremes;
}

function sumInUnits(dtype: DtypeName, blocks: Iterable<ElementBlock>): number {
  const sum = new CompensatedSum();
  for (const block of blocks) {
    for (const value of decodeMagnitudes(dtype, block)) {
      if (Number.isFinite(value)) sum.add(value / SUM_UNIT);
    }
  }
  return sum.total;
}

/** The standard deviation, from deviations in a unit that keeps their squares in range; fills the histogram too. */
function measureSpread(
  dtype: DtypeName,
  blocks: Iterable<ElementBlock>,
  { min, max, mean, finite }: { min: number; max: number; mean: number; finite: number },
  histogram: HistogramCounter,
): number {
  const unit = unitOf(min, max);
  const squares = new CompensatedSum();
  const deviations = new CompensatedSum();
  for (const block of blocks) {
    for (const value of decodeMagnitudes(dtype, block)) {
      if (!Number.isFinite(value)) continue;
      histogram.add(value);
      const deviation = value / unit - mean / unit;
      squares.add(deviation * deviation);
      deviations.add(deviation);
    }
  }
  const variance = (squares.total - deviations.total ** 2 / finite) / finite;
  return Math.sqrt(Math.max(0, variance)) * unit;
}
