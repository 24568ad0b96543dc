import { dtypeOf } from '../dtype/index.js';
import { FirError } from '../errors.js';
import type { DtypeName } from '../model/dtype.js';
import { decodeValues } from './decode.js';
import { modulus } from './modulus.js';

const BLOCK_BYTES = 256 * 1024;

/** Bytes of whole elements, and how many. */
export interface ElementBlock {
  bytes: Uint8Array;
  elements: number;
}

/**
 * Cuts a stream of bytes into blocks of whole elements of at most 256 KiB, up to `limit` elements; copies only elements
 * that lie across two chunks. Throws FirError TENSOR_INVALID where the stream ends inside an element.
 */
export function* elementBlocks(
  dtype: DtypeName,
  chunks: Iterable<Uint8Array>,
  limit: number,
): Generator<ElementBlock> {
  const bits = dtypeOf(dtype).bitsPerElement;
  const width = Math.max(1, bits / 8);
  const perByte = bits === 4 ? 2 : 1;
  let left = limit;
  for (const bytes of wholeElements(dtype, chunks, width)) {
    for (let begin = 0; begin < bytes.length; begin += BLOCK_BYTES) {
      if (left <= 0) return;
      const block = bytes.subarray(begin, begin + BLOCK_BYTES);
      const elements = Math.min(left, (block.length / width) * perByte);
      left -= elements;
      yield { bytes: block.subarray(0, Math.ceil(elements / perByte) * width), elements };
    }
  }
}

function* wholeElements(
  dtype: DtypeName,
  chunks: Iterable<Uint8Array>,
  width: number,
): Generator<Uint8Array> {
  const torn = new Uint8Array(width);
  let tornBytes = 0;
  for (const chunk of chunks) {
    const completing = tornBytes === 0 ? 0 : Math.min(width - tornBytes, chunk.length);
    torn.set(chunk.subarray(0, completing), tornBytes);
    tornBytes += completing;
    if (tornBytes === width) {
      yield torn.slice();
      tornBytes = 0;
    }
    const end = chunk.length - ((chunk.length - completing) % width);
    if (end > completing) yield chunk.subarray(completing, end);
    torn.set(chunk.subarray(end), tornBytes);
    tornBytes += chunk.length - end;
  }
  if (tornBytes > 0) {
    throw new FirError('TENSOR_INVALID', `the values end ${tornBytes} bytes into an element of ${dtype}`);
  }
}

/** One number per value of a block: for complex its modulus, NaN where a part is NaN, else Infinity where one is infinite. */
export function decodeMagnitudes(dtype: DtypeName, block: ElementBlock): Float64Array {
  const values = decodeValues(dtype, block.bytes, block.elements);
  if (dtypeOf(dtype).kind !== 'complex') return values;
  const moduli = new Float64Array(values.length / 2);
  for (let i = 0; i < moduli.length; i++) {
    moduli[i] = modulus(values[2 * i] as number, values[2 * i + 1] as number);
  }
  return moduli;
}
