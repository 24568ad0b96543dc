import { dtypeOf } from '../dtype/index.js';
import type { Tensor } from '../tensor/index.js';

/** Elements of a block: two decoded sides of it stay within a processor's cache. */
const BLOCK_ELEMENTS = 65_536;

/** The same run of elements of two tensors: contiguous little-endian values in logical order. */
export interface BlockPair {
  actual: Uint8Array;
  expected: Uint8Array;
  /** Elements of the tensor that come before this block. */
  begin: number;
  elements: number;
}

/**
 * Walks two tensors of one dtype and shape in logical order, whatever their layouts, at most 65,536 elements at a time:
 * memory stays bounded, and contiguous tensors are not copied.
 */
export function* blockPairs(actual: Tensor, expected: Tensor): Generator<BlockPair> {
  if (expected.elements === 0) return;
  if (actual.isContiguous() && expected.isContiguous()) yield* contiguousPairs(actual, expected);
  else yield* stridedPairs(actual, expected, 0);
}

function* contiguousPairs(actual: Tensor, expected: Tensor): Generator<BlockPair> {
  const { elements, dtype } = expected;
  const { bitsPerElement } = dtypeOf(dtype);
  const actualBytes = actual.contiguousBytes();
  const expectedBytes = expected.contiguousBytes();
  for (let begin = 0; begin < elements; begin += BLOCK_ELEMENTS) {
    const count = Math.min(BLOCK_ELEMENTS, elements - begin);
    const from = (begin / 8) * bitsPerElement;
    const to = from + Math.ceil((count * bitsPerElement) / 8);
    yield {
      actual: actualBytes.subarray(from, to),
      expected: expectedBytes.subarray(from, to),
      begin,
      elements: count,
    };
  }
}

/** Cuts along the outermost dimension that has anything to cut, and goes on inside rows that are too long. */
function* stridedPairs(actual: Tensor, expected: Tensor, begin: number): Generator<BlockPair> {
  const { elements, shape } = expected;
  const dim = shape.findIndex((size) => size > 1);
  const size = shape[dim];
  if (size === undefined || elements <= BLOCK_ELEMENTS) {
    yield { actual: actual.contiguousBytes(), expected: expected.contiguousBytes(), begin, elements };
    return;
  }
  const inner = elements / size;
  const rows = Math.max(1, Math.floor(BLOCK_ELEMENTS / inner));
  for (let row = 0; row < size; row += rows) {
    const end = Math.min(size, row + rows);
    yield* stridedPairs(actual.slice(dim, row, end), expected.slice(dim, row, end), begin + row * inner);
  }
}
