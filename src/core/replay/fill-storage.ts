import { dtypeOf } from '../dtype/index.js';
import { FirError } from '../errors.js';
import {
  gatherContiguous,
  isContiguousLayout,
  type StridedLayout,
  scatterContiguous,
} from '../tensor/index.js';
import { DrawnTensor } from './drawn/drawn-tensor.js';
import { type DrawnPlace, fillDrawn } from './drawn/fill-drawn.js';
import type { InputTensor } from './input-tensor.js';

/** Where a tensor lies in a buffer that begins at byte `base` of the recorded storage. */
export function layoutIn({ stored }: InputTensor, base: number): StridedLayout {
  const { dtype, shape, stride } = stored;
  return { dtype, shape, stride, offset: offsetFrom(stored, base) };
}

/** A layout's offset in elements, counted from byte `base` of its storage. */
export function offsetFrom({ dtype, shape, offset }: StridedLayout, base: number): number {
  return shape.includes(0) ? 0 : offset - (base * 8) / dtypeOf(dtype).bitsPerElement;
}

/**
 * Puts the recorded values of tensors into the buffer that they share. `isLive`: the buffer is one that a living
 * object may hold, and scratch memory in it keeps what is there.
 *
 * @throws FirError TENSOR_CONFLICT naming both keys where overlapping tensors were saved with different values there.
 */
export function fillStorage(
  inputs: readonly InputTensor[],
  bytes: Uint8Array,
  base: number,
  isLive: boolean,
): void {
  for (const input of inputs) {
    if (input.poisoned === 'out' || (input.poisoned === 'scratch' && !isLive)) poison(input, bytes, base);
  }
  fillDrawn(
    inputs.flatMap((input) => drawnPlace(input, base)),
    bytes,
    base,
  );
  const filled: InputTensor[] = [];
  for (const input of inputs) {
    if (input.poisoned !== undefined || input.stored instanceof DrawnTensor) continue;
    fill(input, bytes, base);
    const others = filled.filter((other) => overlaps(input, other) && !isSameRange(input, other));
    // Elements of a strided tensor may lie on one another.
    if (!isSingle(input)) others.push(input);
    for (const other of others) {
      if (holds(other, bytes, base)) continue;
      const keys = [other.stored.key, input.stored.key];
      throw new FirError(
        'TENSOR_CONFLICT',
        `'${keys.join("' and '")}' overlap in memory, but were saved with different values there`,
        {
          hint: 'the recording changed under the recorder, or the files were edited',
        },
      );
    }
    filled.push(input);
  }
}

/** Nobody knows what drawn values that lie on one another should agree on. */
function drawnPlace(input: InputTensor, base: number): DrawnPlace[] {
  const { stored, extent, poisoned } = input;
  if (poisoned !== undefined || !(stored instanceof DrawnTensor)) return [];
  return [{ stored, extent, layout: layoutIn(input, base) }];
}

function fill(input: InputTensor, bytes: Uint8Array, base: number): void {
  const { stored, range, extent } = input;
  if (extent.high === extent.low) return;
  if (range !== undefined) {
    const begin = Math.max(extent.low, range.byteOffset);
    const end = Math.min(extent.high, range.byteOffset + range.bytes.length);
    bytes.set(range.bytes.subarray(begin - range.byteOffset, end - range.byteOffset), begin - base);
    return;
  }
  const layout = layoutIn(input, base);
  if (!isContiguousLayout(layout.shape, layout.stride)) {
    scatterContiguous(bytes, layout, stored.logicalBytes());
    return;
  }
  let position = extent.low - base;
  for (const chunk of stored.chunks()) {
    bytes.set(chunk, position);
    position += chunk.length;
  }
}

/** Whether the buffer holds a tensor's saved values where its layout has them. */
function holds(input: InputTensor, bytes: Uint8Array, base: number): boolean {
  const found = gatherContiguous(bytes, layoutIn(input, base));
  let position = 0;
  for (const chunk of input.stored.chunks()) {
    if (Buffer.compare(found.subarray(position, position + chunk.length), chunk) !== 0) return false;
    position += chunk.length;
  }
  return true;
}

/** NaN for what has one, a striking pattern for the rest: a call that reads it shows. */
function poison({ stored, extent }: InputTensor, bytes: Uint8Array, base: number): void {
  const { kind } = dtypeOf(stored.dtype);
  const hasNan = kind === 'float' || kind === 'complex';
  const nan = stored.dtype.endsWith('fnuz') ? 0x80 : 0xff;
  bytes.fill(hasNan ? nan : 0xa5, extent.low - base, extent.high - base);
}

function overlaps({ extent: a }: InputTensor, { extent: b }: InputTensor): boolean {
  return a.low < b.high && b.low < a.high;
}

/** Two tensors taken out of one saved range can't disagree. */
function isSameRange({ range: a }: InputTensor, { range: b }: InputTensor): boolean {
  return a !== undefined && b !== undefined && a.byteOffset === b.byteOffset;
}

/** Whether no byte of the storage can belong to two elements, or all come from one saved range. */
function isSingle({ stored, range, extent }: InputTensor): boolean {
  return range !== undefined || isContiguousLayout(stored.shape, stored.stride) || extent.high === extent.low;
}
