import { types } from 'node:util';
import { FirError } from '../errors.js';
import type { DtypeName } from '../model/dtype.js';
import { placeLayout, type Tensor } from '../tensor/index.js';
import { TYPED_ARRAYS } from './typed-arrays.js';

/** Bytes of a buffer that hold a tensor's values in order. */
interface Span {
  buffer: ArrayBufferLike;
  begin: number;
  byteLength: number;
}

/**
 * Gives a tensor back as the class that held it: a typed array, Buffer, DataView, ArrayBuffer or SharedArrayBuffer;
 * the tensor itself where that was a `fir` Tensor or is not known. Views the tensor's storage, so that what was shared
 * stays shared; copies where its elements are not contiguous or not aligned, and where a whole buffer is asked for
 * and the tensor is a part of one.
 *
 * Throws FirError NOT_REPLAYABLE for a class that is unknown here, VALUE_INVALID where the dtype is not that class's.
 */
export function hostFromTensor(host: string | undefined, tensor: Tensor): unknown {
  if (host === undefined || host === 'fir.Tensor') return tensor;
  const typedArray = TYPED_ARRAYS.get(host);
  if (typedArray !== undefined) {
    const { dtype, elementBytes } = typedArray;
    const { buffer, begin, byteLength } = spanOf(tensor, host, dtype, elementBytes);
    return typedArray.make(buffer, begin, byteLength / elementBytes);
  }
  switch (host) {
    case 'Buffer': {
      const { buffer, begin, byteLength } = spanOf(tensor, host, 'uint8', 1);
      return Buffer.from(buffer, begin, byteLength);
    }
    case 'DataView': {
      const { buffer, begin, byteLength } = spanOf(tensor, host, 'uint8', 1);
      return new DataView(buffer, begin, byteLength);
    }
    case 'ArrayBuffer':
    case 'SharedArrayBuffer':
      return wholeBuffer(spanOf(tensor, host, 'uint8', 1), host);
    case 'Float16Array':
      throw new FirError('NOT_REPLAYABLE', `Node ${process.version} has no Float16Array`, {
        hint: 'replay with Node 24 or newer',
      });
    default:
      throw new FirError(
        'NOT_REPLAYABLE',
        `a tensor was held by ${host.slice(0, 80)}, a class that is not known here`,
      );
  }
}

function spanOf(tensor: Tensor, host: string, dtype: DtypeName, elementBytes: number): Span {
  if (tensor.dtype !== dtype) {
    throw new FirError('VALUE_INVALID', `a tensor of dtype ${tensor.dtype} can't be held by ${host}`);
  }
  const { bytes } = tensor.storage;
  const { start, logicalBytes, isContiguous } = placeLayout(tensor, bytes.byteLength);
  const begin = bytes.byteOffset + start;
  if (isContiguous && begin % elementBytes === 0)
    return { buffer: bytes.buffer, begin, byteLength: logicalBytes };
  const copy = new Uint8Array(tensor.contiguousBytes());
  return { buffer: copy.buffer, begin: 0, byteLength: logicalBytes };
}

function wholeBuffer(span: Span, host: 'ArrayBuffer' | 'SharedArrayBuffer'): ArrayBufferLike {
  const { buffer, begin, byteLength } = span;
  const isShared = host === 'SharedArrayBuffer';
  const isWhole = begin === 0 && byteLength === buffer.byteLength;
  if (isWhole && types.isSharedArrayBuffer(buffer) === isShared) return buffer;
  const copy = isShared ? new SharedArrayBuffer(byteLength) : new ArrayBuffer(byteLength);
  new Uint8Array(copy).set(new Uint8Array(buffer, begin, byteLength));
  return copy;
}
