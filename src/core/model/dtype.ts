/**
 * Element types, by the names that torch gives them where it has one.
 *
 * `int4` and `uint4` are two elements to a byte, low half first, and count shape in elements.
 * `float4_e2m1fn_x2` counts shape in bytes of two elements, as torch does.
 * `string` has no fixed size.
 */
export type DtypeName =
  | 'bool'
  | 'uint8'
  | 'int8'
  | 'uint16'
  | 'int16'
  | 'uint32'
  | 'int32'
  | 'uint64'
  | 'int64'
  | 'float16'
  | 'bfloat16'
  | 'float32'
  | 'float64'
  | 'complex64'
  | 'complex128'
  | 'int4'
  | 'uint4'
  | 'string'
  | 'float8_e4m3fn'
  | 'float8_e5m2'
  | 'float8_e4m3fnuz'
  | 'float8_e5m2fnuz'
  | 'float8_e8m0fnu'
  | 'float4_e2m1fn_x2';
