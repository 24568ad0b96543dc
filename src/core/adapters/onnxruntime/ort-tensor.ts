import { isProxy } from 'node:util/types';
import { byteLengthOf } from '../../dtype/index.js';
import { FirError, messageOf } from '../../errors.js';
import type { DtypeName } from '../../model/dtype.js';
import type { TensorSource } from '../../model/tensor.js';
import { contiguousStride, Tensor } from '../../tensor/index.js';
import { describeHostTensor, hostFromTensor } from '../../values/index.js';

/** What a record calls the class, whichever copy of onnxruntime-common it comes from. */
export const ORT_HOST = 'onnxruntime.Tensor';

const FLOAT16: readonly [string, DtypeName] =
  'Float16Array' in globalThis ? ['Float16Array', 'float16'] : ['Uint16Array', 'uint16'];

/**
 * The typed array that onnxruntime-common wants for each of its types, which are our dtypes' names, and what that array
 * is a tensor of. Source: onnxruntime-common, tensor-impl-type-mapping.ts.
 */
const ARRAYS: ReadonlyMap<string, readonly [string, DtypeName]> = new Map([
  ['float32', ['Float32Array', 'float32']],
  ['float64', ['Float64Array', 'float64']],
  ['float16', FLOAT16],
  ['uint8', ['Uint8Array', 'uint8']],
  ['int8', ['Int8Array', 'int8']],
  ['uint16', ['Uint16Array', 'uint16']],
  ['int16', ['Int16Array', 'int16']],
  ['uint32', ['Uint32Array', 'uint32']],
  ['int32', ['Int32Array', 'int32']],
  ['uint64', ['BigUint64Array', 'uint64']],
  ['int64', ['BigInt64Array', 'int64']],
  ['bool', ['Uint8Array', 'uint8']],
  ['uint4', ['Uint8Array', 'uint8']],
  ['int4', ['Uint8Array', 'uint8']],
]);

/**
 * A CPU tensor of any copy of onnxruntime-common, known by its own properties: programs bring their own copies.
 * Undefined for anything else, and for tensors that are disposed of, on a GPU or not what they say. Runs no getter.
 */
export function describeOrtTensor(value: object): TensorSource | undefined {
  if (isProxy(value) || !Object.hasOwn(value, 'dims')) return undefined;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null || prototype === Array.prototype) return undefined;
  const shape = shapeFrom(ownData(value, 'dims'));
  const type = ownData(value, 'type');
  // Copies older than 1.16 keep the values under the name that is a getter since.
  const data = ownData(value, 'cpuData') ?? ownData(value, 'data');
  if (shape === undefined || typeof type !== 'string' || typeof data !== 'object' || data === null)
    return undefined;
  const elements = shape.reduce((product, size) => product * size, 1);
  return type === 'string'
    ? describeStrings(data, shape, elements)
    : describeNumbers(data, type, shape, elements);
}

function describeStrings(data: object, shape: number[], elements: number): TensorSource | undefined {
  if (isProxy(data) || !Array.isArray(data) || data.length !== elements) return undefined;
  const strings: string[] = [];
  for (let index = 0; index < elements; index += 1) {
    const text = ownData(data, index);
    if (typeof text !== 'string') return undefined;
    strings.push(text);
  }
  return {
    dtype: 'string',
    shape,
    stride: contiguousStride(shape),
    storage: data,
    storageBytes: 0,
    byteOffset: 0,
    bytes: new Uint8Array(),
    contiguous: true,
    device: 'cpu',
    host: ORT_HOST,
    strings,
  };
}

function describeNumbers(
  data: object,
  type: string,
  shape: number[],
  elements: number,
): TensorSource | undefined {
  if (!ARRAYS.has(type) || isProxy(data)) return undefined;
  const dtype = type as DtypeName;
  const source = describeHostTensor(data);
  if (source === undefined || source.bytes.length !== byteLengthOf(dtype, elements)) return undefined;
  return { ...source, dtype, shape, stride: contiguousStride(shape), host: ORT_HOST };
}

function shapeFrom(dims: unknown): number[] | undefined {
  if (isProxy(dims) || !Array.isArray(dims)) return undefined;
  const shape: number[] = [];
  for (let dim = 0; dim < dims.length; dim += 1) {
    const size = ownData(dims, dim);
    if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) return undefined;
    shape.push(size);
  }
  return shape;
}

function ownData(value: object, property: string | number): unknown {
  return Object.getOwnPropertyDescriptor(value, property)?.value;
}

type OrtTensorClass = new (type: string, data: unknown, dims: readonly number[]) => object;

/**
 * A tensor of the runtime's own class, over the given tensor's memory where that is aligned.
 * FirError TENSOR_UNSUPPORTED for what the runtime's copy of the class does not take.
 */
export function ortTensorFrom(
  exports: Record<string, unknown>,
  tensor: Tensor,
  strings: readonly string[] | undefined,
): object {
  const OrtTensor = exports['Tensor'] as OrtTensorClass;
  const type = strings === undefined ? tensor.dtype : 'string';
  try {
    return new OrtTensor(type, strings === undefined ? arrayFrom(tensor) : [...strings], [...tensor.shape]);
  } catch (error) {
    if (error instanceof FirError) throw error;
    const reason = `onnxruntime can't take a ${type} tensor here: ${messageOf(error)}`;
    throw new FirError('TENSOR_UNSUPPORTED', reason, { cause: error });
  }
}

function arrayFrom(tensor: Tensor): unknown {
  const known = ARRAYS.get(tensor.dtype);
  if (known === undefined) {
    throw new FirError('TENSOR_UNSUPPORTED', `onnxruntime has no tensors of ${tensor.dtype}`);
  }
  const [array, dtype] = known;
  if (dtype === tensor.dtype) return hostFromTensor(array, tensor);
  const bytes = tensor.contiguousBytes();
  const elements = bytes.length / byteLengthOf(dtype, 1);
  return hostFromTensor(array, Tensor.fromBytes(dtype, [elements], bytes));
}
