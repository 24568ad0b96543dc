import { FirError } from '../errors.js';

const LONGEST_SHOWN = 32;

/** A shape or stride for a message, `[2, 3]`, cut where a hostile file made it long. */
export function formatSizes(sizes: readonly number[]): string {
  const isLong = sizes.length > LONGEST_SHOWN;
  return `[${(isLong ? [...sizes.slice(0, LONGEST_SHOWN), '…'] : sizes).join(', ')}]`;
}

/** Number of elements of a shape; 1 for a scalar. Throws TENSOR_INVALID for a bad dimension and past 2^53. */
export function elementCount(shape: readonly number[]): number {
  let count = 1;
  for (const size of shape) {
    if (!Number.isSafeInteger(size) || size < 0) {
      throw new FirError('TENSOR_INVALID', `shape ${formatSizes(shape)} has a dimension that is not a count`);
    }
    count *= size;
  }
  if (count === 0 || shape.includes(0)) return 0;
  if (count > Number.MAX_SAFE_INTEGER) {
    throw new FirError('TENSOR_INVALID', `shape ${formatSizes(shape)} has more than 2^53 elements`);
  }
  return count;
}

/** Row-major strides in elements; an empty dimension counts as 1, as in torch. Throws TENSOR_INVALID past 2^53. */
export function contiguousStride(shape: readonly number[]): number[] {
  const stride = new Array<number>(shape.length).fill(1);
  let step = 1;
  for (let dim = shape.length - 1; dim >= 0; dim--) {
    stride[dim] = step;
    step *= Math.max(shape[dim] ?? 1, 1);
  }
  if ((stride[0] ?? 1) > Number.MAX_SAFE_INTEGER) {
    throw new FirError('TENSOR_INVALID', `shape ${formatSizes(shape)} has strides past 2^53`);
  }
  return stride;
}

/** Whether the elements lie in row-major order without gaps. Dimensions of one element may have any stride. */
export function isContiguousLayout(shape: readonly number[], stride: readonly number[]): boolean {
  let step = 1;
  for (let dim = shape.length - 1; dim >= 0; dim--) {
    const size = shape[dim] ?? 1;
    if (size !== 1 && stride[dim] !== step) return shape.includes(0);
    step *= size;
  }
  return true;
}

/**
 * Lowest and highest element that a layout touches, both inclusive; undefined for an empty one.
 * Throws TENSOR_INVALID for negative or fractional strides and offsets, and past 2^53.
 */
export function extentOf(
  shape: readonly number[],
  stride: readonly number[],
  offset: number,
): { low: number; high: number } | undefined {
  if (stride.length !== shape.length) {
    throw new FirError('TENSOR_INVALID', `${shape.length} dimensions, but ${stride.length} strides`);
  }
  for (const step of [offset, ...stride]) {
    if (!Number.isSafeInteger(step) || step < 0) {
      throw new FirError(
        'TENSOR_INVALID',
        `offset ${offset} or stride ${formatSizes(stride)} is not a count`,
      );
    }
  }
  if (elementCount(shape) === 0) return undefined;
  let high = offset;
  for (let dim = 0; dim < shape.length; dim++) high += ((shape[dim] ?? 1) - 1) * (stride[dim] ?? 0);
  if (high > Number.MAX_SAFE_INTEGER) {
    throw new FirError('TENSOR_INVALID', `stride ${formatSizes(stride)} reaches past 2^53 elements`);
  }
  return { low: offset, high };
}
