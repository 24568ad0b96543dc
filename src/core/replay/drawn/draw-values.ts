import { dtypeOf, encodeFromFloat64 } from '../../dtype/index.js';
import type { DtypeName } from '../../model/dtype.js';
import type { LayoutStatistics } from '../../model/tensor.js';
import type { RandomStream } from './random-stream.js';

/** What is known of the values, and how many elements those statistics are of. */
export interface DrawnRange {
  dtype: DtypeName;
  stats: LayoutStatistics;
  elements: number;
}

/**
 * Elements `begin` to `end` of a tensor whose values were left out, as contiguous little-endian bytes. Floats follow the
 * recorded mean and deviation where both are known, else they are uniform; they and integers stay within the recorded
 * bounds. Booleans are as often true as they were. NaN and infinities are not drawn. Of complex elements the modulus is
 * drawn so, the angle uniform. Without bounds everything is 0.
 */
export function drawValues(range: DrawnRange, stream: RandomStream, begin: number, end: number): Uint8Array {
  const { dtype, stats } = range;
  const { min, max } = stats;
  if ((dtype === 'int64' || dtype === 'uint64') && (typeof min === 'bigint' || typeof max === 'bigint')) {
    return drawWords(dtype, integerOf(min), integerOf(max), stream, begin, end);
  }
  const perElement = dtypeOf(dtype).valuesPerElement;
  const values = new Float64Array((end - begin) * perElement);
  const drawOne = drawerFor(range);
  const pair = new Float64Array(2);
  const isComplex = dtypeOf(dtype).kind === 'complex';
  for (let at = 0; at < values.length; at++) {
    stream.pair(begin * perElement + at, pair);
    const value = drawOne(pair[0] ?? 0, pair[1] ?? 0);
    if (!isComplex) {
      values[at] = value;
      continue;
    }
    stream.pair(begin * perElement + at + 1, pair);
    const angle = 2 * Math.PI * (pair[0] ?? 0);
    values[at] = value * Math.cos(angle);
    values[at + 1] = value * Math.sin(angle);
    at += 1;
  }
  return encodeFromFloat64(dtype, values);
}

type Drawer = (a: number, b: number) => number;

function drawerFor({ dtype, stats, elements }: DrawnRange): Drawer {
  const { kind } = dtypeOf(dtype);
  if (kind === 'bool') {
    const share = elements === 0 ? 0 : (stats.trues ?? 0) / elements;
    return (a) => (a < share ? 1 : 0);
  }
  const [min, max] = [Number(stats.min ?? 0), Number(stats.max ?? 0)];
  if (kind === 'int' || kind === 'uint') {
    const [low, high] = [Math.ceil(min), Math.floor(max)];
    return (a) => Math.min(high, low + Math.floor(a * (high - low + 1)));
  }
  const { mean, std = 0 } = stats;
  const clip = (value: number): number => Math.max(min, Math.min(max, value));
  if (mean === undefined || std === 0) return (a) => clip(min * (1 - a) + max * a);
  // Box and Muller's, of which the second value is not used: each element has its own place in the stream.
  return (a, b) => clip(mean + std * Math.sqrt(-2 * Math.log(1 - a)) * Math.cos(2 * Math.PI * b));
}

function integerOf(bound: number | bigint | undefined): bigint {
  return typeof bound === 'bigint' ? bound : BigInt(Math.trunc(bound ?? 0));
}

/** 64-bit integers whose bounds a float64 can't hold. */
function drawWords(
  dtype: 'int64' | 'uint64',
  min: bigint,
  max: bigint,
  stream: RandomStream,
  begin: number,
  end: number,
): Uint8Array {
  const words = dtype === 'int64' ? new BigInt64Array(end - begin) : new BigUint64Array(end - begin);
  const span = max - min + 1n;
  for (let at = 0; at < words.length; at++) {
    words[at] = min + ((stream.bits(begin + at) * span) >> 128n);
  }
  return new Uint8Array(words.buffer);
}

/** Strings of random letters, no shorter and no longer than the recorded ones. */
export function drawStrings({ stats, elements }: DrawnRange, stream: RandomStream): string[] {
  const { minBytes = 0, maxBytes = 0 } = stats;
  const pair = new Float64Array(2);
  return Array.from({ length: elements }, (_, index) => {
    stream.pair(index, pair);
    const length = minBytes + Math.floor((pair[0] ?? 0) * (maxBytes - minBytes + 1));
    const letters = Math.floor((pair[1] ?? 0) * 26 ** 8)
      .toString(26)
      .padStart(8, '0');
    return letters.repeat(Math.ceil(length / letters.length)).slice(0, length);
  });
}
