import type { DtypeName } from '../model/dtype.js';

/** Element types that have a typed storage, which every torch knows, by the class of that storage. */
export const TYPED_STORAGES: ReadonlyMap<DtypeName, string> = new Map([
  ['bool', 'BoolStorage'],
  ['uint8', 'ByteStorage'],
  ['int8', 'CharStorage'],
  ['int16', 'ShortStorage'],
  ['int32', 'IntStorage'],
  ['int64', 'LongStorage'],
  ['float16', 'HalfStorage'],
  ['bfloat16', 'BFloat16Storage'],
  ['float32', 'FloatStorage'],
  ['float64', 'DoubleStorage'],
  ['complex64', 'ComplexFloatStorage'],
  ['complex128', 'ComplexDoubleStorage'],
]);

/** Element types that came later: torch keeps them in untyped storages and names the dtype with each tensor. */
export const UNTYPED_DTYPES: ReadonlySet<DtypeName> = new Set([
  'uint16',
  'uint32',
  'uint64',
  'float8_e4m3fn',
  'float8_e5m2',
  'float8_e4m3fnuz',
  'float8_e5m2fnuz',
  'float8_e8m0fnu',
  'float4_e2m1fn_x2',
]);
