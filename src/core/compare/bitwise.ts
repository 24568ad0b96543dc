import { dtypeOf } from '../dtype/index.js';
import type { DtypeName } from '../model/dtype.js';
import type { Tensor } from '../tensor/index.js';
import { type BlockPair, blockPairs } from './blocks.js';
import { packedPerElement } from './decode.js';
import { measureDifference } from './measure.js';

export interface BitwiseDifference {
  /** Elements of which any bit differs; packed float4 counts values. Another NaN payload or sign of zero is a difference. */
  elements: number;
  /** Greatest |actual - expected| over finite pairs, as `compareTensors` has it; bools that differ are 1 apart. */
  maxAbs: number;
}

/**
 * How far one run's result is from another's, bit for bit. Where dtype or shape differ every element does, of the
 * tensor that has more of them, and `maxAbs` is Infinity.
 */
export function bitwiseDifference(actual: Tensor, expected: Tensor): BitwiseDifference {
  const { dtype } = expected;
  if (actual.dtype !== dtype || actual.shape.join() !== expected.shape.join()) {
    const counts = [actual, expected].map((tensor) => tensor.elements * packedPerElement(tensor.dtype));
    return { elements: Math.max(...counts), maxAbs: Number.POSITIVE_INFINITY };
  }
  let elements = 0;
  for (const pair of blockPairs(actual, expected)) {
    if (Buffer.compare(pair.actual, pair.expected) !== 0) elements += countDiffering(dtype, pair);
  }
  if (elements === 0) return { elements, maxAbs: 0 };
  const { tally } = measureDifference(actual, expected, { rtol: 0, atol: 0, nan: 'equal', steps: -1 });
  const maxAbs = dtype === 'bool' ? Math.min(1, tally.mismatched) : Math.max(0, tally.maxAbs.value);
  return { elements, maxAbs };
}

function countDiffering(dtype: DtypeName, { actual, expected, elements }: BlockPair): number {
  const values = elements * packedPerElement(dtype);
  const bits = dtypeOf(dtype).bitsPerElement / packedPerElement(dtype);
  if (bits < 8) return countDifferingNibbles(actual, expected, values);
  const width = bits / 8;
  let count = 0;
  for (let value = 0; value < values; value++) {
    const end = (value + 1) * width;
    for (let at = value * width; at < end; at++) {
      if (actual[at] === expected[at]) continue;
      count++;
      break;
    }
  }
  return count;
}

function countDifferingNibbles(actual: Uint8Array, expected: Uint8Array, values: number): number {
  let count = 0;
  for (let value = 0; value < values; value++) {
    const byte = value >> 1;
    const difference = (actual[byte] ?? 0) ^ (expected[byte] ?? 0);
    if ((value % 2 === 0 ? difference & 0xf : difference >> 4) !== 0) count++;
  }
  return count;
}
