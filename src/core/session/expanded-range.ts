import { dtypeOf } from '../dtype/index.js';
import { FirError } from '../errors.js';
import { elementCount, extentOf, gatherContiguous, type StridedLayout } from '../tensor/index.js';
import type { ValueSource } from './value-source.js';

/** A record may claim any size for an expanded tensor, of which a few bytes are stored: past these, at once and in pieces, it is refused. */
const MAX_WHOLE_BYTES = 2 ** 32;
const MAX_STREAMED_BYTES = 2 ** 34;

/** The bytes of a storage from the first to the last element of all views of it, in bytes of the storage. */
export interface CoveredRange {
  low: number;
  high: number;
}

/** Covered by the layouts of one storage; undefined where they have no elements. FirError TENSOR_INVALID. */
export function coveredRange(layouts: Iterable<StridedLayout>): CoveredRange | undefined {
  let range: CoveredRange | undefined;
  for (const layout of layouts) {
    const extent = extentOf(layout.shape, layout.stride, layout.offset);
    const bits = dtypeOf(layout.dtype).bitsPerElement;
    if (extent === undefined || bits === 0) continue;
    const low = Math.floor((extent.low * bits) / 8);
    const high = Math.ceil(((extent.high + 1) * bits) / 8);
    range =
      range === undefined
        ? { low, high }
        : { low: Math.min(range.low, low), high: Math.max(range.high, high) };
  }
  return range;
}

/** Values of a tensor that is taken out of its storage's saved range by its stride. */
export function sourceFromRange(
  layout: StridedLayout,
  range: CoveredRange,
  readRange: () => Uint8Array,
): ValueSource & Required<Pick<ValueSource, 'range'>> {
  const byteLength = logicalBytesOf(layout);
  const placed = (bytes: Uint8Array): { bytes: Uint8Array; layout: StridedLayout } => {
    const { dtype, shape, stride } = layout;
    const begin = (layout.offset * dtypeOf(dtype).bitsPerElement) / 8 - range.low;
    return { bytes: bytes.subarray(begin), layout: { dtype, shape, stride, offset: 0 } };
  };
  return {
    byteLength,
    read() {
      assertSize(byteLength, MAX_WHOLE_BYTES);
      const { bytes, layout: local } = placed(readRange());
      const values = gatherContiguous(bytes, local);
      // A typed array can only begin where its elements are aligned.
      return values.byteOffset === 0 ? values : Uint8Array.from(values);
    },
    *chunks(chunkBytes) {
      assertSize(byteLength, MAX_STREAMED_BYTES);
      const { bytes, layout: local } = placed(readRange());
      yield* rowMajorPieces(local, chunkBytes, (piece) => gatherContiguous(bytes, piece));
    },
    range: { byteOffset: range.low, read: readRange },
  };
}

function assertSize(byteLength: number, limit: number): void {
  if (byteLength > limit) {
    throw new FirError('TOO_LARGE', `an expanded tensor of ${byteLength} bytes, more than ${limit}`);
  }
}

function logicalBytesOf({ dtype, shape }: StridedLayout): number {
  return Math.ceil((elementCount(shape) * dtypeOf(dtype).bitsPerElement) / 8);
}

/** The values of a tensor in row-major pieces of at most `pieceBytes`, or of one element where that is more. */
export function* rowMajorPieces(
  layout: StridedLayout,
  pieceBytes: number,
  gather: (piece: StridedLayout) => Uint8Array,
): Generator<Uint8Array> {
  const { dtype, shape, stride, offset } = layout;
  const total = logicalBytesOf(layout);
  const [rows, ...rowShape] = shape;
  if (total <= pieceBytes || rows === undefined) {
    if (total > 0) yield gather(layout);
    return;
  }
  const [rowStride = 0, ...inner] = stride;
  const rowBytes = total / rows;
  const rowsAtOnce = Math.max(1, Math.floor(pieceBytes / rowBytes));
  for (let row = 0; row < rows; row += rowsAtOnce) {
    const count = Math.min(rowsAtOnce, rows - row);
    const begin = offset + row * rowStride;
    if (rowBytes > pieceBytes) {
      yield* rowMajorPieces({ dtype, shape: rowShape, stride: inner, offset: begin }, pieceBytes, gather);
    } else {
      yield gather({ dtype, shape: [count, ...rowShape], stride, offset: begin });
    }
  }
}
