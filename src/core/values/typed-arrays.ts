import type { DtypeName } from '../model/dtype.js';

export interface TypedArrayClass {
  readonly name: string;
  readonly dtype: DtypeName;
  readonly elementBytes: number;
  readonly prototype: object;
  make(buffer: ArrayBufferLike, byteOffset: number, length: number): ArrayBufferView;
}

interface TypedArrayConstructor {
  readonly name: string;
  readonly BYTES_PER_ELEMENT: number;
  readonly prototype: object;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): ArrayBufferView;
}

function typedArray(arrayClass: TypedArrayConstructor, dtype: DtypeName): [string, TypedArrayClass] {
  const { name, prototype } = arrayClass;
  const make: TypedArrayClass['make'] = (buffer, byteOffset, length) =>
    new arrayClass(buffer, byteOffset, length);
  return [name, { name, dtype, elementBytes: arrayClass.BYTES_PER_ELEMENT, prototype, make }];
}

/** The typed arrays of this runtime, by name. Float16Array is there from Node 24 on. */
export const TYPED_ARRAYS: ReadonlyMap<string, TypedArrayClass> = new Map([
  typedArray(Float32Array, 'float32'),
  typedArray(Float64Array, 'float64'),
  typedArray(Int8Array, 'int8'),
  typedArray(Int16Array, 'int16'),
  typedArray(Int32Array, 'int32'),
  typedArray(BigInt64Array, 'int64'),
  typedArray(Uint8Array, 'uint8'),
  typedArray(Uint8ClampedArray, 'uint8'),
  typedArray(Uint16Array, 'uint16'),
  typedArray(Uint32Array, 'uint32'),
  typedArray(BigUint64Array, 'uint64'),
  ...findFloat16Array(),
]);

function findFloat16Array(): [string, TypedArrayClass][] {
  const arrayClass: TypedArrayConstructor | undefined = Reflect.get(globalThis, 'Float16Array');
  return arrayClass === undefined ? [] : [typedArray(arrayClass, 'float16')];
}

const TAG = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype),
  Symbol.toStringTag,
)?.get;

/** The class that the memory of a typed array has, whatever its prototype says; undefined for a DataView. */
export function typedArrayClassOf(value: ArrayBufferView): TypedArrayClass | undefined {
  const tag: unknown = TAG === undefined ? undefined : Reflect.apply(TAG, value, []);
  return typeof tag === 'string' ? TYPED_ARRAYS.get(tag) : undefined;
}
