import { byteLengthOf, dtypeOf } from '../dtype/index.js';
import { FirError } from '../errors.js';
import type { DtypeName } from '../model/dtype.js';
import { elementCount, extentOf, formatSizes, isContiguousLayout } from './shape.js';

/** Where elements lie in some bytes; stride and offset in elements. */
export interface StridedLayout {
  dtype: DtypeName;
  shape: readonly number[];
  stride: readonly number[];
  offset: number;
}

/** A layout that was checked against bytes: where it starts in them and how much it holds. */
export interface Placement {
  start: number;
  logicalBytes: number;
  isContiguous: boolean;
}

/** Checks that a layout lies within `byteLength` bytes. Throws TENSOR_INVALID; TENSOR_UNSUPPORTED for strings and strided 4-bit elements. */
export function placeLayout(layout: StridedLayout, byteLength: number): Placement {
  const { dtype, shape, stride, offset } = layout;
  const { bitsPerElement } = dtypeOf(dtype);
  if (bitsPerElement === 0) {
    throw new FirError('TENSOR_UNSUPPORTED', `elements of dtype ${dtype} have no fixed size to lay out`);
  }
  const extent = extentOf(shape, stride, offset);
  if (extent === undefined) return { start: 0, logicalBytes: 0, isContiguous: true };
  const isContiguous = isContiguousLayout(shape, stride);
  if (bitsPerElement === 4 && !(isContiguous && offset % 2 === 0)) {
    throw new FirError(
      'TENSOR_UNSUPPORTED',
      `a tensor of dtype ${dtype} must be contiguous and start at a whole byte, as two elements share one`,
    );
  }
  const end = byteLengthOf(dtype, extent.high + 1);
  if (end > byteLength) {
    throw new FirError(
      'TENSOR_INVALID',
      `shape ${formatSizes(shape)} with stride ${formatSizes(stride)} and offset ${offset} of ${dtype} ` +
        `reaches byte ${end} of a storage of ${byteLength} bytes`,
    );
  }
  const logicalBytes = byteLengthOf(dtype, elementCount(shape));
  return { start: offset * (bitsPerElement / 8), logicalBytes, isContiguous };
}
