import { dtypeOf } from '../../dtype/index.js';
import {
  elementCount,
  isContiguousLayout,
  type StridedLayout,
  scatterContiguous,
} from '../../tensor/index.js';
import type { TensorExtent } from '../storage-plan.js';
import type { DrawnTensor } from './drawn-tensor.js';

/** A drawn tensor, and where it lies in the memory that is to be filled. */
export interface DrawnPlace {
  stored: DrawnTensor;
  layout: StridedLayout;
  extent: TensorExtent;
}

/**
 * Fills memory with the values of drawn tensors. Where several lie on one another the last one's stay: the smaller one's,
 * which has the narrower bounds, and of different types the wider one's, of which no part may be another's.
 */
export function fillDrawn(places: readonly DrawnPlace[], bytes: Uint8Array, base: number): void {
  const ordered = [...places].sort((a, b) => sizeOf(b) - sizeOf(a) || bitsOf(a) - bitsOf(b));
  for (const place of ordered) fill(place, bytes, base);
}

function fill({ stored, layout, extent }: DrawnPlace, bytes: Uint8Array, base: number): void {
  if (extent.high === extent.low) return;
  let position = extent.low - base;
  if (isContiguousLayout(layout.shape, layout.stride)) {
    for (const chunk of stored.chunks()) {
      bytes.set(chunk, position);
      position += chunk.length;
    }
    return;
  }
  // Each place once, however often the tensor shows it.
  const shape = layout.shape.map((size, dim) => (layout.stride[dim] === 0 ? Math.min(size, 1) : size));
  const places = Math.floor(((extent.high - extent.low) * 8) / dtypeOf(layout.dtype).bitsPerElement);
  const elements = elementCount(shape);
  if (elements > places) bytes.set(stored.draw(places), position);
  else scatterContiguous(bytes, { ...layout, shape }, stored.draw(elements));
}

function sizeOf({ extent }: DrawnPlace): number {
  return extent.high - extent.low;
}

function bitsOf({ layout }: DrawnPlace): number {
  return dtypeOf(layout.dtype).bitsPerElement;
}
