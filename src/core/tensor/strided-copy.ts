import { dtypeOf } from '../dtype/index.js';
import { FirError } from '../errors.js';
import { placeLayout, type StridedLayout } from './layout.js';

/**
 * The logical values of a layout in row-major order. A view of `bytes` where they already lie so, else a copy.
 * Throws TENSOR_INVALID where the layout reaches past `bytes`, TOO_LARGE where the copy does not fit into memory.
 */
export function gatherContiguous(bytes: Uint8Array, layout: StridedLayout): Uint8Array {
  const { start, logicalBytes, isContiguous } = placeLayout(layout, bytes.byteLength);
  if (isContiguous) return bytes.subarray(start, start + logicalBytes);
  const logical = allocate(logicalBytes);
  const { axes, runBytes } = mergeAxes(layout);
  copyRuns(
    { bytes, start, steps: axes.map((axis) => axis.strided) },
    { bytes: logical, start: 0, steps: axes.map((axis) => axis.linear) },
    axes.map((axis) => axis.size),
    runBytes,
  );
  return logical;
}

/**
 * Puts row-major values to where the layout has them in `target`. Which of elements that overlap stays is not said.
 * Throws TENSOR_INVALID where the layout reaches past `target` or `logical` has another size.
 */
export function scatterContiguous(target: Uint8Array, layout: StridedLayout, logical: Uint8Array): void {
  const { start, logicalBytes, isContiguous } = placeLayout(layout, target.byteLength);
  if (logical.byteLength !== logicalBytes) {
    throw new FirError(
      'TENSOR_INVALID',
      `${logical.byteLength} bytes of values for a tensor of ${logicalBytes}`,
    );
  }
  if (isContiguous) {
    target.set(logical, start);
    return;
  }
  const { axes, runBytes } = mergeAxes(layout);
  copyRuns(
    { bytes: logical, start: 0, steps: axes.map((axis) => axis.linear) },
    { bytes: target, start, steps: axes.map((axis) => axis.strided) },
    axes.map((axis) => axis.size),
    runBytes,
  );
}

/** A small storage, expanded, may have more logical values than any memory. */
function allocate(byteLength: number): Uint8Array {
  try {
    return new Uint8Array(byteLength);
  } catch (error) {
    const message = `the ${byteLength} bytes of a tensor's values do not fit into memory`;
    throw new FirError('TOO_LARGE', message, { cause: error });
  }
}

/** One loop of a copy; steps in bytes. */
interface Axis {
  size: number;
  strided: number;
  linear: number;
}

/** Joins the dimensions that one step walks through, and takes what lies together at the end as one run. */
function mergeAxes(layout: StridedLayout): { axes: Axis[]; runBytes: number } {
  const elementBytes = dtypeOf(layout.dtype).bitsPerElement / 8;
  const axes: Axis[] = [];
  let linear = elementBytes;
  for (let dim = layout.shape.length - 1; dim >= 0; dim--) {
    const size = layout.shape[dim] ?? 1;
    if (size === 1) continue;
    const strided = (layout.stride[dim] ?? 0) * elementBytes;
    const inner = axes[0];
    if (inner !== undefined && strided === inner.strided * inner.size) inner.size *= size;
    else axes.unshift({ size, strided, linear });
    linear *= size;
  }
  const last = axes.at(-1);
  if (last === undefined || last.strided !== elementBytes) return { axes, runBytes: elementBytes };
  return { axes: axes.slice(0, -1), runBytes: last.size * elementBytes };
}

/** One side of a copy; start and steps in bytes. */
interface Side {
  bytes: Uint8Array;
  start: number;
  steps: number[];
}

/** From here on one call that copies a whole run is quicker than a loop over its words. */
const LONG_RUN_BYTES = 128;

function copyRuns(from: Side, to: Side, sizes: number[], runBytes: number): void {
  if (runBytes >= LONG_RUN_BYTES) {
    forEachPlane(sizes, from.steps, to.steps, from.start, to.start, (plane) =>
      copyLongRuns(from.bytes, to.bytes, plane, runBytes),
    );
    return;
  }
  const word = commonWord([
    runBytes,
    from.bytes.byteOffset,
    from.start,
    to.bytes.byteOffset,
    to.start,
    ...from.steps,
    ...to.steps,
  ]);
  const source = wordsOf(from.bytes, word);
  const target = wordsOf(to.bytes, word);
  const inWords = (bytes: number) => bytes / word;
  forEachPlane(
    sizes,
    from.steps.map(inWords),
    to.steps.map(inWords),
    inWords(from.start),
    inWords(to.start),
    (plane) => copyWords(source, target, plane, inWords(runBytes)),
  );
}

/** The two innermost loops of a copy. */
interface Plane {
  rows: number;
  columns: number;
  from: number;
  fromRow: number;
  fromColumn: number;
  to: number;
  toRow: number;
  toColumn: number;
}

function forEachPlane(
  sizes: readonly number[],
  fromSteps: readonly number[],
  toSteps: readonly number[],
  fromStart: number,
  toStart: number,
  copy: (plane: Plane) => void,
): void {
  const rowAxis = sizes.length - 2;
  const plane = {
    rows: sizes[rowAxis] ?? 1,
    columns: sizes[rowAxis + 1] ?? 1,
    fromRow: fromSteps[rowAxis] ?? 0,
    fromColumn: fromSteps[rowAxis + 1] ?? 0,
    toRow: toSteps[rowAxis] ?? 0,
    toColumn: toSteps[rowAxis + 1] ?? 0,
  };
  const walk = (axis: number, from: number, to: number): void => {
    if (axis >= rowAxis) {
      copy({ ...plane, from, to });
      return;
    }
    for (let index = 0; index < (sizes[axis] ?? 1); index++) {
      walk(axis + 1, from + index * (fromSteps[axis] ?? 0), to + index * (toSteps[axis] ?? 0));
    }
  };
  walk(0, fromStart, toStart);
}

function copyLongRuns(source: Uint8Array, target: Uint8Array, plane: Plane, runBytes: number): void {
  for (let row = 0; row < plane.rows; row++) {
    for (let column = 0; column < plane.columns; column++) {
      const from = plane.from + row * plane.fromRow + column * plane.fromColumn;
      const to = plane.to + row * plane.toRow + column * plane.toColumn;
      target.set(source.subarray(from, from + runBytes), to);
    }
  }
}

type Words = Uint8Array | Uint16Array | Uint32Array;

/** Rows and columns of a block that both sides' cache lines can hold, for transposed copies. */
const BLOCK = 32;

/** Copies whole words, since a float loaded and stored again may lose the bits of a NaN. */
function copyWords(source: Words, target: Words, plane: Plane, runWords: number): void {
  const { rows, columns, fromColumn, toColumn } = plane;
  for (let top = 0; top < rows; top += BLOCK) {
    const bottom = Math.min(top + BLOCK, rows);
    for (let left = 0; left < columns; left += BLOCK) {
      const right = Math.min(left + BLOCK, columns);
      for (let row = top; row < bottom; row++) {
        let from = plane.from + row * plane.fromRow + left * fromColumn;
        let to = plane.to + row * plane.toRow + left * toColumn;
        for (let column = left; column < right; column++) {
          for (let word = 0; word < runWords; word++) target[to + word] = source[from + word] ?? 0;
          from += fromColumn;
          to += toColumn;
        }
      }
    }
  }
}

/** Bytes of the largest word that all positions are multiples of. */
function commonWord(positions: readonly number[]): 1 | 2 | 4 {
  if (positions.every((position) => position % 4 === 0)) return 4;
  return positions.every((position) => position % 2 === 0) ? 2 : 1;
}

function wordsOf(bytes: Uint8Array, word: 1 | 2 | 4): Words {
  const length = Math.floor(bytes.byteLength / word);
  if (word === 4) return new Uint32Array(bytes.buffer, bytes.byteOffset, length);
  return word === 2 ? new Uint16Array(bytes.buffer, bytes.byteOffset, length) : bytes;
}
