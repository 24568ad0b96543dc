import { byteLengthOf, dtypeOf } from '../dtype/index.js';
import {
  contiguousStride,
  elementCount,
  extentOf,
  gatherContiguous,
  type StridedLayout,
  scatterContiguous,
} from '../tensor/index.js';

/** Bytes of a storage from `begin` up to `end`. */
export type ReadStorage = (begin: number, end: number) => Uint8Array;

/** Reading over a gap of this size costs no more than another read. */
const SMALL_BYTES = 64 * 1024;
/** So much is read at once where most of it is wanted. */
const DENSE_BYTES = 64 * 1024 * 1024;

/**
 * The logical values of a tensor, row-major, out of a storage that is not in memory. Gaps between the elements that are
 * large are not read. Offset and strides of the layout must lie within the storage.
 */
export function gatherStored(read: ReadStorage, layout: StridedLayout): Uint8Array {
  const { dtype, shape } = layout;
  const target = new Uint8Array(byteLengthOf(dtype, elementCount(shape)));
  if (target.length > 0) {
    gatherInto(read, layout, target, { dtype, shape, stride: contiguousStride(shape), offset: 0 });
  }
  return target;
}

function gatherInto(read: ReadStorage, from: StridedLayout, target: Uint8Array, to: StridedLayout): void {
  const { dtype, shape, stride, offset } = from;
  const elementBytes = dtypeOf(dtype).bitsPerElement / 8;
  const extent = extentOf(shape, stride, offset);
  if (extent === undefined) return;
  const begin = extent.low * elementBytes;
  const span = (extent.high + 1) * elementBytes - begin;
  const isDense = span <= 2 * byteLengthOf(dtype, elementCount(shape));
  if (span <= SMALL_BYTES || (isDense && span <= DENSE_BYTES)) {
    const values = gatherContiguous(read(begin, begin + span), { dtype, shape, stride, offset: 0 });
    scatterContiguous(target, to, values);
    return;
  }
  const dim = widestDimension(shape, stride);
  const half = Math.ceil((shape[dim] ?? 0) / 2);
  const first = shape.with(dim, half);
  const second = shape.with(dim, (shape[dim] ?? 0) - half);
  gatherInto(read, { ...from, shape: first }, target, { ...to, shape: first });
  gatherInto(read, { ...from, shape: second, offset: offset + half * (stride[dim] ?? 0) }, target, {
    ...to,
    shape: second,
    offset: to.offset + half * (to.stride[dim] ?? 0),
  });
}

/** The dimension whose steps are the largest, of those that have any. */
function widestDimension(shape: readonly number[], stride: readonly number[]): number {
  let widest = -1;
  for (let dim = 0; dim < shape.length; dim++) {
    if ((shape[dim] ?? 1) > 1 && (widest < 0 || (stride[dim] ?? 0) > (stride[widest] ?? 0))) widest = dim;
  }
  return widest;
}
