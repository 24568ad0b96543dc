import { dtypeOf } from '../dtype/index.js';
import type { DtypeName } from '../model/dtype.js';
import type { Tensor } from '../tensor/index.js';
import { type BlockPair, blockPairs } from './blocks.js';
import { decodeValues, packedPerElement } from './decode.js';
import { Sums } from './sums.js';
import { type DecodedBlock, emptyTally, type MatchRule, type Tally } from './tally.js';
import { tallyComplex } from './tally-complex.js';
import { Int64Tally } from './tally-int64.js';
import { tallyReals } from './tally-reals.js';
import { ulpDistances } from './ulp.js';

/** The numbers of a comparison, in the terms of `compareTensors`; places are positions of values in logical order. */
export interface Figures {
  tally: Tally;
  rmse?: number;
  cosine?: number;
}

/** Measures two tensors of one dtype, which is not string, and one shape. */
export function measureDifference(actual: Tensor, expected: Tensor, rule: MatchRule): Figures {
  if (expected.dtype === 'bool') return { tally: tallyBools(actual, expected) };
  const sums = haveSameBytes(actual, expected) ? undefined : new Sums();
  const tally = tallyBlocks(actual, expected, rule, sums);
  if (tally.finite === 0) return { tally };
  if (sums === undefined || tally.maxAbs.value === 0) return { tally, rmse: 0, cosine: 1 };

  const scales = sums.betterScales();
  if (scales === undefined) return { tally, rmse: sums.rmse(tally.finite), cosine: sums.cosine() };
  const scaled = new Sums(scales);
  tallyBlocks(actual, expected, rule, scaled);
  return { tally, rmse: scaled.rmse(tally.finite), cosine: scaled.cosine() };
}

function haveSameBytes(actual: Tensor, expected: Tensor): boolean {
  for (const pair of blockPairs(actual, expected)) {
    if (!isSamePair(pair)) return false;
  }
  return true;
}

function isSamePair(pair: BlockPair): boolean {
  return Buffer.compare(pair.actual, pair.expected) === 0;
}

/** Tallies all blocks and adds them to the sums; without sums the two sides are known to have the same bytes. */
function tallyBlocks(actual: Tensor, expected: Tensor, rule: MatchRule, sums: Sums | undefined): Tally {
  const { dtype } = expected;
  const tally = emptyTally();
  const addBlock = blockAdder(tally, dtype, rule);
  const isWide = dtype === 'float64' || dtype === 'complex128';
  for (const pair of blockPairs(actual, expected)) {
    const block = decodePair(dtype, pair, sums === undefined || isSamePair(pair));
    addBlock(block, pair);
    sums?.add(block.actual, block.expected, block.difference);
    if (isWide) sums?.trackMagnitudes(block.actual, block.expected, block.difference);
  }
  return tally;
}

function blockAdder(
  tally: Tally,
  dtype: DtypeName,
  rule: MatchRule,
): (block: DecodedBlock, pair: BlockPair) => void {
  if (dtype === 'int64' || dtype === 'uint64') {
    const integers = new Int64Tally(tally, dtype === 'int64');
    return (block, pair) => integers.add(block, pair.actual, pair.expected);
  }
  const addReals = dtypeOf(dtype).kind === 'complex' ? tallyComplex : tallyReals;
  return (block) => addReals(tally, block, rule);
}

function decodePair(dtype: DtypeName, pair: BlockPair, isSame: boolean): DecodedBlock {
  const expected = decodeValues(dtype, pair.expected, pair.elements);
  return {
    actual: isSame ? expected : decodeValues(dtype, pair.actual, pair.elements),
    expected,
    difference: new Float64Array(expected.length),
    steps: isSame ? undefined : ulpDistances(dtype, pair.actual, pair.expected),
    begin: pair.begin * packedPerElement(dtype),
  };
}

/** bool has no figures: elements differ or they don't. Any byte but 0 is true. */
function tallyBools(actual: Tensor, expected: Tensor): Tally {
  const tally = emptyTally();
  for (const pair of blockPairs(actual, expected)) {
    for (let i = 0; i < pair.elements; i++) {
      if ((pair.actual[i] === 0) !== (pair.expected[i] === 0)) tally.mismatched++;
    }
  }
  return tally;
}
