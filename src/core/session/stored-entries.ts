import { byteLengthOf, dtypeOf } from '../dtype/index.js';
import { FirError } from '../errors.js';
import type { DtypeName } from '../model/dtype.js';
import type { SafetensorsFile } from '../safetensors/index.js';
import { elementCount } from '../tensor/index.js';

/** How a tensor's logical values stand in a safetensors file, by the dtypes that its official readers know. */
export function storedForm(dtype: DtypeName, shape: readonly number[]): { dtype: string; shape: number[] } {
  switch (dtype) {
    case 'complex128':
      return { dtype: 'F64', shape: [...shape, 2] };
    case 'int4':
    case 'uint4':
      return { dtype: 'U8', shape: [byteLengthOf(dtype, elementCount(shape))] };
    case 'float4_e2m1fn_x2': {
      const last = shape.length - 1;
      return {
        dtype: 'F4',
        shape: last < 0 ? [2] : shape.map((size, dim) => (dim === last ? size * 2 : size)),
      };
    }
    default:
      return { dtype: dtypeOf(dtype).safetensors ?? 'U8', shape: [...shape] };
  }
}

/** Checks that an entry is what the layout says it is. FirError TENSOR_DATA_MISSING, TENSOR_INVALID. */
export function checkEntry(
  file: SafetensorsFile,
  key: string,
  form: { dtype: string; shape: readonly number[] },
): { begin: number; end: number } {
  const entry = file.entries.get(key);
  if (entry === undefined) {
    throw new FirError('TENSOR_DATA_MISSING', `no tensor ${JSON.stringify(key)} in the file`, {
      where: file.path,
    });
  }
  if (entry.dtype !== form.dtype || entry.shape.join() !== form.shape.join()) {
    const found = `${entry.dtype} [${entry.shape.join(', ')}]`;
    const expected = `${form.dtype} [${form.shape.join(', ')}]`;
    throw new FirError(
      'TENSOR_INVALID',
      `tensor ${JSON.stringify(key)} is ${found}, but the record says ${expected}`,
      {
        where: file.path,
      },
    );
  }
  return { begin: entry.begin, end: entry.end };
}
