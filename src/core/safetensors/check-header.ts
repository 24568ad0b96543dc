import { formatSizes } from '../tensor/index.js';
import { FORMAT_DTYPES } from './dtypes.js';
import type { HeaderTensor } from './parse-header.js';
import { quoteKey } from './quote-key.js';

/**
 * What is wrong with the ranges of a header's tensors over `dataBytes` bytes of data, or undefined. As in the official
 * implementation: in order of their offsets they begin at 0, follow each other without hole or overlap, are as long
 * as dtype and shape say, and reach to the end.
 */
export function findRangeFault(tensors: readonly HeaderTensor[], dataBytes: number): string | undefined {
  const ordered = [...tensors].sort((left, right) => left.begin - right.begin || left.end - right.end);
  let covered = 0;
  for (const tensor of ordered) {
    const fault = findPlaceFault(tensor, covered) ?? findSizeFault(tensor);
    if (fault !== undefined) return `tensor ${quoteKey(tensor.key)}: ${fault}`;
    if (tensor.end > dataBytes) {
      return `tensor ${quoteKey(tensor.key)}: ends at byte ${tensor.end} of ${dataBytes} bytes of data`;
    }
    covered = tensor.end;
  }
  if (covered !== dataBytes) return `${dataBytes - covered} bytes after the last tensor belong to none`;
  return undefined;
}

function findPlaceFault({ begin, end }: HeaderTensor, covered: number): string | undefined {
  if (end < begin) return `data_offsets are reversed: ${begin} to ${end}`;
  if (begin < covered)
    return `data_offsets overlap: begins at ${begin}, but the tensor before it ends at ${covered}`;
  if (begin > covered)
    return `data_offsets leave a hole: begins at ${begin}, but what is before it ends at ${covered}`;
  return undefined;
}

function findSizeFault({ dtype, shape, begin, end }: HeaderTensor): string | undefined {
  const bits = FORMAT_DTYPES.get(dtype)?.bits;
  if (bits === undefined) return undefined;
  const totalBits = multiplySafely([...shape, bits]);
  if (totalBits === undefined) return `shape ${formatSizes(shape)} of ${dtype} overflows`;
  if (totalBits % 8 !== 0) return `shape ${formatSizes(shape)} of ${dtype} is not whole bytes`;
  if (end - begin !== totalBits / 8) {
    return `shape ${formatSizes(shape)} of ${dtype} takes ${totalBits / 8} bytes, but its range has ${end - begin}`;
  }
  return undefined;
}

/** The product, in order as the official implementation multiplies; undefined once it passes 2^53. */
function multiplySafely(factors: readonly number[]): number | undefined {
  let product = 1;
  for (const factor of factors) {
    product *= factor;
    if (product > Number.MAX_SAFE_INTEGER) return undefined;
  }
  return product;
}
