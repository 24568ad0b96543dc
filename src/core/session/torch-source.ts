import { byteLengthOf } from '../dtype/index.js';
import { elementCount, isContiguousLayout } from '../tensor/index.js';
import type { TorchFile, TorchTensor } from '../torch/index.js';
import { coveredRange, rowMajorPieces, sourceFromRange } from './expanded-range.js';
import { gatherStored } from './gather-stored.js';
import type { ValueSource } from './value-source.js';

/** The checksum of a record of this size costs no more than opening its file. */
const CHEAP_CHECK_BYTES = 1024 * 1024;

/** So much of a strided tensor is taken together at once. */
const BLOCK_BYTES = 64 * 1024 * 1024;
/** Pieces end between elements of every dtype. */
const CHUNK_MULTIPLE = 16;

/**
 * The values of a tensor of a .pt file. A record whose memory the tensor covers whole is held against its checksum when
 * it is read, and so is a small one; where a tensor needs a little of a large record, only that is read.
 * `storageBegin` is where the record begins in the storage that the tensor's layout is told in; undefined where the
 * file has the tensor in another layout.
 */
export function sourceFromTorch(
  file: TorchFile,
  tensor: TorchTensor,
  storageBegin: number | undefined,
): ValueSource {
  const { dtype, shape, stride, offset, storage } = tensor;
  const byteLength = byteLengthOf(dtype, elementCount(shape));
  const covered = coveredRange([tensor]) ?? { low: 0, high: 0 };
  const span = covered.high - covered.low;
  const isCheap = storage.byteLength <= CHEAP_CHECK_BYTES;
  const checkWhole = () => {
    if (isCheap || span === storage.byteLength) file.verify(storage);
  };
  const readRange = (begin: number, end: number, into?: Uint8Array) =>
    file.readRange(storage, begin, end, into);
  /** Read in one piece, a record that the tensor covers whole is checked by its file. */
  const readCovered = () => {
    if (isCheap) file.verify(storage);
    return readRange(covered.low, covered.high);
  };
  const checkValues = (isWhole: boolean) => {
    if (isWhole || isCheap) file.verify(storage);
  };
  const { region } = storage;
  const place =
    region === undefined || storageBegin === undefined
      ? undefined
      : { path: file.path, begin: region.begin, end: region.end, storageBegin };
  const readPlace = () => readRange(0, storage.byteLength);
  const common = { checkValues, ...(place === undefined ? {} : { place, readPlace }) };

  if (span < byteLength) {
    const { range, ...source } = sourceFromRange({ dtype, shape, stride, offset }, covered, readCovered);
    if (storageBegin === undefined) return { ...source, ...common };
    const byteOffset = range.byteOffset + storageBegin;
    return { ...source, ...common, range: { byteOffset, read: range.read } };
  }
  const layout = { dtype, shape, stride, offset };
  return {
    ...common,
    byteLength,
    read() {
      if (isContiguousLayout(shape, stride)) return readCovered();
      checkWhole();
      return gatherStored(readRange, layout);
    },
    *chunks(chunkBytes) {
      if (isCheap) file.verify(storage);
      const step = Math.max(Math.floor(chunkBytes / CHUNK_MULTIPLE), 1) * CHUNK_MULTIPLE;
      if (isContiguousLayout(shape, stride)) {
        // One piece of memory for all of them: a fresh one each time would cost more than reading it.
        const piece = new Uint8Array(Math.min(step, span));
        for (let at = covered.low; at < covered.high; at += step) {
          yield readRange(at, Math.min(at + step, covered.high), piece);
        }
      } else {
        for (const block of rowMajorPieces(layout, BLOCK_BYTES, (piece) => gatherStored(readRange, piece))) {
          for (let at = 0; at < block.length; at += step) yield block.slice(at, at + step);
        }
      }
      // Behind the last piece, so that whoever wants the first ones alone does not wait for it.
      checkWhole();
    },
  };
}
