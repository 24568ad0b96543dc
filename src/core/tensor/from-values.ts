import { encodeFromFloat64 } from '../dtype/index.js';
import { FirError } from '../errors.js';
import type { DtypeName } from '../model/dtype.js';

type NumericArray =
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Float32Array
  | Float64Array;

export type TensorValues = readonly number[] | readonly bigint[] | readonly boolean[] | NumericArray;

const DTYPE_OF_CLASS: ReadonlyMap<string, DtypeName> = new Map([
  ['Int8Array', 'int8'],
  ['Uint8Array', 'uint8'],
  ['Uint8ClampedArray', 'uint8'],
  ['Int16Array', 'int16'],
  ['Uint16Array', 'uint16'],
  ['Int32Array', 'int32'],
  ['Uint32Array', 'uint32'],
  ['BigInt64Array', 'int64'],
  ['BigUint64Array', 'uint64'],
  ['Float16Array', 'float16'],
  ['Float32Array', 'float32'],
  ['Float64Array', 'float64'],
]);

/** The dtype that values have by themselves: a typed array's own; bool and int64 of booleans and bigints, else float32. */
export function dtypeOfValues(values: TensorValues): DtypeName {
  if (ArrayBuffer.isView(values)) {
    const dtype = DTYPE_OF_CLASS.get(values[Symbol.toStringTag]);
    if (dtype === undefined)
      throw new FirError('TENSOR_INVALID', 'values are neither an array nor a typed array');
    return dtype;
  }
  const first = values[0];
  return typeof first === 'boolean' ? 'bool' : typeof first === 'bigint' ? 'int64' : 'float32';
}

/** Contiguous bytes of the values; those of a typed array that already has the dtype are not copied. */
export function bytesFromValues(values: TensorValues, dtype: DtypeName): Uint8Array {
  if (ArrayBuffer.isView(values) && dtypeOfValues(values) === dtype) {
    return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  }
  if (dtype === 'int64' || dtype === 'uint64') {
    const words = BigInt64Array.from(values as Iterable<number | bigint | boolean>, bigIntFrom);
    return new Uint8Array(words.buffer);
  }
  return encodeFromFloat64(dtype, Float64Array.from(values as Iterable<number | bigint | boolean>, Number));
}

function bigIntFrom(value: number | bigint | boolean): bigint {
  if (typeof value === 'number' && !Number.isInteger(value)) {
    throw new FirError('TENSOR_INVALID', `${value} is not an integer`);
  }
  return BigInt.asIntN(64, BigInt(value));
}
