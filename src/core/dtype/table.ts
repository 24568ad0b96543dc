import { FirError } from '../errors.js';
import type { DtypeName } from '../model/dtype.js';

type DtypeKind = 'bool' | 'int' | 'uint' | 'float' | 'complex' | 'string';

/** What is known of one element type. */
interface Dtype {
  name: DtypeName;
  /** As torch prints it: `torch.float32`. `string`, which torch lacks, stands without the prefix. */
  torchName: string;
  /** The name in a safetensors header; undefined where its official readers have none. */
  safetensors: string | undefined;
  /** Bits that one element of a shape takes; 0 for strings, which have no fixed size. */
  bitsPerElement: number;
  /** Numbers that one element of a shape decodes to: 2 for complex and for two packed 4-bit floats. */
  valuesPerElement: number;
  kind: DtypeKind;
}

function dtype(
  name: DtypeName,
  kind: DtypeKind,
  bitsPerElement: number,
  safetensors?: string,
  valuesPerElement = 1,
): [DtypeName, Dtype] {
  const torchName = kind === 'string' ? name : `torch.${name}`;
  return [name, { name, torchName, safetensors, bitsPerElement, valuesPerElement, kind }];
}

/** Every element type, by name. */
export const DTYPES: ReadonlyMap<DtypeName, Dtype> = new Map([
  dtype('bool', 'bool', 8, 'BOOL'),
  dtype('uint8', 'uint', 8, 'U8'),
  dtype('int8', 'int', 8, 'I8'),
  dtype('uint16', 'uint', 16, 'U16'),
  dtype('int16', 'int', 16, 'I16'),
  dtype('uint32', 'uint', 32, 'U32'),
  dtype('int32', 'int', 32, 'I32'),
  dtype('uint64', 'uint', 64, 'U64'),
  dtype('int64', 'int', 64, 'I64'),
  dtype('float16', 'float', 16, 'F16'),
  dtype('bfloat16', 'float', 16, 'BF16'),
  dtype('float32', 'float', 32, 'F32'),
  dtype('float64', 'float', 64, 'F64'),
  dtype('complex64', 'complex', 64, 'C64', 2),
  dtype('complex128', 'complex', 128, undefined, 2),
  dtype('int4', 'int', 4),
  dtype('uint4', 'uint', 4),
  dtype('string', 'string', 0),
  dtype('float8_e4m3fn', 'float', 8, 'F8_E4M3'),
  dtype('float8_e5m2', 'float', 8, 'F8_E5M2'),
  dtype('float8_e4m3fnuz', 'float', 8, 'F8_E4M3FNUZ'),
  dtype('float8_e5m2fnuz', 'float', 8, 'F8_E5M2FNUZ'),
  dtype('float8_e8m0fnu', 'float', 8, 'F8_E8M0'),
  dtype('float4_e2m1fn_x2', 'float', 8, 'F4', 2),
]);

const BY_NAME: ReadonlyMap<string, Dtype> = new Map(
  [...DTYPES.values()].flatMap((entry) => [[entry.name, entry] as const, [entry.torchName, entry] as const]),
);

const BY_SAFETENSORS: ReadonlyMap<string, Dtype> = new Map(
  [...DTYPES.values()].flatMap((entry) => (entry.safetensors ? [[entry.safetensors, entry] as const] : [])),
);

/** The element type called `float32` or `torch.float32`. Throws DTYPE_UNKNOWN. */
export function dtypeOf(name: string): Dtype {
  const found = BY_NAME.get(name);
  if (found === undefined) {
    throw new FirError('DTYPE_UNKNOWN', `unknown dtype ${JSON.stringify(name)}`, {
      hint: `known dtypes: ${[...DTYPES.keys()].join(', ')}`,
    });
  }
  return found;
}

/** The element type that a safetensors header calls `F32`; undefined where there is none. */
export function dtypeFromSafetensors(name: string): Dtype | undefined {
  return BY_SAFETENSORS.get(name);
}

/** Bytes that `elements` contiguous elements take; 4-bit ones are rounded up to a whole byte. Throws TENSOR_INVALID past 2^53. */
export function byteLengthOf(name: DtypeName, elements: number): number {
  const bits = dtypeOf(name).bitsPerElement;
  const bytes = bits === 4 ? Math.ceil(elements / 2) : elements * (bits / 8);
  if (!Number.isSafeInteger(bytes)) {
    throw new FirError('TENSOR_INVALID', `${elements} elements of ${name} are more bytes than 2^53`);
  }
  return bytes;
}
