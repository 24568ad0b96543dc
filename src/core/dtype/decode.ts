import { FirError } from '../errors.js';
import type { DtypeName } from '../model/dtype.js';
import { SMALL_FLOATS, type SmallFloatName, valueOfCode, valueOfE8m0 } from './small-floats.js';
import { dtypeOf } from './table.js';

/**
 * Every number in contiguous little-endian `bytes`, exactly, but for 64-bit integers past 2^53. Complex elements
 * give their real and imaginary part in turn, packed 4-bit ones the low half of each byte first; booleans give 0 and 1.
 * Throws TENSOR_UNSUPPORTED for strings and TENSOR_INVALID for a length that is not whole elements.
 */
export function decodeToFloat64(dtype: DtypeName, bytes: Uint8Array): Float64Array {
  assertWholeElements(dtype, bytes);
  switch (dtype) {
    case 'bool':
      return lookUp(BOOL_VALUES, bytes);
    case 'uint8':
      return new Float64Array(bytes);
    case 'int8':
      return new Float64Array(viewAs(Int8Array, bytes));
    case 'uint16':
      return new Float64Array(viewAs(Uint16Array, bytes));
    case 'int16':
      return new Float64Array(viewAs(Int16Array, bytes));
    case 'uint32':
      return new Float64Array(viewAs(Uint32Array, bytes));
    case 'int32':
      return new Float64Array(viewAs(Int32Array, bytes));
    case 'int64':
    case 'uint64':
      return float64FromBigInts(decodeToBigInt(dtype, bytes));
    case 'float32':
    case 'complex64':
      return new Float64Array(viewAs(Float32Array, bytes));
    case 'float64':
    case 'complex128':
      return new Float64Array(viewAs(Float64Array, bytes));
    case 'bfloat16':
      return float64FromBfloat16(viewAs(Uint16Array, bytes));
    case 'float16':
      return lookUp(valuesOf('float16'), viewAs(Uint16Array, bytes));
    case 'float8_e8m0fnu':
      return lookUp(valuesOf('float8_e8m0fnu'), bytes);
    case 'float8_e4m3fn':
    case 'float8_e5m2':
    case 'float8_e4m3fnuz':
    case 'float8_e5m2fnuz':
      return lookUp(valuesOf(dtype), bytes);
    case 'float4_e2m1fn_x2':
      return unpack(bytes, valuesOf(dtype));
    case 'int4':
      return unpack(bytes, INT4_VALUES);
    case 'uint4':
      return unpack(bytes, UINT4_VALUES);
    case 'string':
      throw new FirError('TENSOR_UNSUPPORTED', 'strings have no numeric value');
  }
}

/** Every element of a 64-bit integer tensor, with all digits. Shares the memory of `bytes` where it is aligned. */
export function decodeToBigInt(dtype: 'int64', bytes: Uint8Array): BigInt64Array;
export function decodeToBigInt(dtype: 'uint64', bytes: Uint8Array): BigUint64Array;
export function decodeToBigInt(dtype: 'int64' | 'uint64', bytes: Uint8Array): BigInt64Array | BigUint64Array;
export function decodeToBigInt(dtype: 'int64' | 'uint64', bytes: Uint8Array): BigInt64Array | BigUint64Array {
  assertWholeElements(dtype, bytes);
  return dtype === 'int64' ? viewAs(BigInt64Array, bytes) : viewAs(BigUint64Array, bytes);
}

interface TypedArrayClass<T> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): T;
}

/** The bytes as elements of a typed array: the same memory where it is aligned, else a copy. */
export function viewAs<T>(ArrayClass: TypedArrayClass<T>, bytes: Uint8Array): T {
  const size = ArrayClass.BYTES_PER_ELEMENT;
  const aligned = bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes);
  return new ArrayClass(aligned.buffer, aligned.byteOffset, bytes.byteLength / size);
}

/** Throws TENSOR_INVALID where `bytes` end inside an element. */
export function assertWholeElements(dtype: DtypeName, bytes: Uint8Array): void {
  const elementBytes = Math.ceil(dtypeOf(dtype).bitsPerElement / 8);
  if (elementBytes > 1 && bytes.byteLength % elementBytes !== 0) {
    throw new FirError('TENSOR_INVALID', `${bytes.byteLength} bytes are not whole elements of ${dtype}`);
  }
}

const tables = new Map<SmallFloatName | 'float8_e8m0fnu', Float64Array>();

/** The value of each code of a small float format. */
function valuesOf(name: Exclude<SmallFloatName, 'bfloat16'> | 'float8_e8m0fnu'): Float64Array {
  let values = tables.get(name);
  if (values === undefined) {
    if (name === 'float8_e8m0fnu') {
      values = Float64Array.from({ length: 256 }, (_, code) => valueOfE8m0(code));
    } else {
      const float = SMALL_FLOATS[name];
      const length = 2 ** (1 + float.exponentBits + float.mantissaBits);
      values = Float64Array.from({ length }, (_, code) => valueOfCode(code, float));
    }
    tables.set(name, values);
  }
  return values;
}

const BOOL_VALUES = Float64Array.from({ length: 256 }, (_, byte) => Math.sign(byte));
const UINT4_VALUES = Float64Array.from({ length: 16 }, (_, code) => code);
const INT4_VALUES = Float64Array.from({ length: 16 }, (_, code) => (code < 8 ? code : code - 16));

function lookUp(values: Float64Array, codes: Uint8Array | Uint16Array): Float64Array {
  const decoded = new Float64Array(codes.length);
  for (let index = 0; index < codes.length; index++) decoded[index] = values[codes[index] ?? 0] ?? 0;
  return decoded;
}

function unpack(bytes: Uint8Array, values: Float64Array): Float64Array {
  const decoded = new Float64Array(bytes.length * 2);
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index] ?? 0;
    decoded[2 * index] = values[byte & 0xf] ?? 0;
    decoded[2 * index + 1] = values[byte >> 4] ?? 0;
  }
  return decoded;
}

function float64FromBfloat16(codes: Uint16Array): Float64Array {
  const words = new Uint32Array(codes.length);
  for (let index = 0; index < codes.length; index++) words[index] = (codes[index] ?? 0) << 16;
  return new Float64Array(new Float32Array(words.buffer));
}

function float64FromBigInts(values: BigInt64Array | BigUint64Array): Float64Array {
  const decoded = new Float64Array(values.length);
  for (let index = 0; index < values.length; index++) decoded[index] = Number(values[index]);
  return decoded;
}
