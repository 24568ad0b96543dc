import { types } from 'node:util';
import type { TensorSource } from '../model/tensor.js';
import { Tensor } from '../tensor/index.js';
import { builtinGetter, builtinNameOf, reachesProxy } from './builtins.js';
import { describeFirTensor } from './describe-fir-tensor.js';
import { TYPED_ARRAYS, typedArrayClassOf } from './typed-arrays.js';

const UNIT_STRIDE: readonly number[] = Object.freeze([1]);

/** What the memory behind a built-in prototype is; a DataView and the buffers are bytes. */
const VIEW_CLASSES = new Map<object, { host: string; dtype: TensorSource['dtype']; elementBytes: number }>([
  [Buffer.prototype, { host: 'Buffer', dtype: 'uint8', elementBytes: 1 }],
  [DataView.prototype, { host: 'DataView', dtype: 'uint8', elementBytes: 1 }],
]);
for (const { name, dtype, elementBytes, prototype } of TYPED_ARRAYS.values()) {
  VIEW_CLASSES.set(prototype, { host: name, dtype, elementBytes });
}

const typedArrayPrototype = Object.getPrototypeOf(Uint8Array.prototype);
const arrayGetters = {
  buffer: builtinGetter(typedArrayPrototype, 'buffer'),
  byteOffset: builtinGetter(typedArrayPrototype, 'byteOffset'),
  byteLength: builtinGetter(typedArrayPrototype, 'byteLength'),
};
const viewGetters = {
  buffer: builtinGetter(DataView.prototype, 'buffer'),
  byteOffset: builtinGetter(DataView.prototype, 'byteOffset'),
  byteLength: builtinGetter(DataView.prototype, 'byteLength'),
};

/**
 * Describes a typed array, Buffer, ArrayBuffer, SharedArrayBuffer, DataView or `fir` Tensor without copying it;
 * undefined for anything else, and where the memory is gone: a detached buffer, a DataView past the end of a
 * shrunk one. An instance of a subclass is described as its built-in class.
 */
export function describeHostTensor(value: object): TensorSource | undefined {
  try {
    if (ArrayBuffer.isView(value)) return describeView(value);
    if (types.isAnyArrayBuffer(value)) return describeBuffer(value);
    return !reachesProxy(value) && Tensor.isTensor(value) ? describeFirTensor(value) : undefined;
  } catch {
    return undefined;
  }
}

/** Whether memory of the runtime has a class of the program's own. */
export function isSubclassInstance(value: ArrayBufferView | ArrayBufferLike): boolean {
  const prototype: object | null = Object.getPrototypeOf(value);
  if (prototype === null) return true;
  return !VIEW_CLASSES.has(prototype) && builtinNameOf(prototype) === undefined;
}

function describeView(view: ArrayBufferView): TensorSource {
  const known = VIEW_CLASSES.get(Object.getPrototypeOf(view));
  if (known === undefined) return describeUnknownView(view);
  return describeBytes(known, view.buffer, view.byteOffset, view.byteLength);
}

/** A view of another realm or of a subclass, whose properties may be the program's own. */
function describeUnknownView(view: ArrayBufferView): TensorSource {
  const found = typedArrayClassOf(view);
  const getters = found === undefined ? viewGetters : arrayGetters;
  const layout = found ?? { name: 'DataView', dtype: 'uint8' as const, elementBytes: 1 };
  const buffer = getters.buffer(view);
  if (!types.isAnyArrayBuffer(buffer)) throw new TypeError('a view without a buffer');
  return describeBytes(
    { host: layout.name, dtype: layout.dtype, elementBytes: layout.elementBytes },
    buffer,
    Number(getters.byteOffset(view)),
    Number(getters.byteLength(view)),
  );
}

function describeBuffer(buffer: ArrayBufferLike): TensorSource {
  const host = types.isSharedArrayBuffer(buffer) ? 'SharedArrayBuffer' : 'ArrayBuffer';
  return describeBytes({ host, dtype: 'uint8', elementBytes: 1 }, buffer, 0, buffer.byteLength);
}

/** Throws TypeError for a detached buffer. */
function describeBytes(
  { host, dtype, elementBytes }: { host: string; dtype: TensorSource['dtype']; elementBytes: number },
  buffer: ArrayBufferLike,
  byteOffset: number,
  byteLength: number,
): TensorSource {
  return {
    dtype,
    shape: [byteLength / elementBytes],
    stride: UNIT_STRIDE,
    storage: buffer,
    storageBytes: buffer.byteLength,
    byteOffset,
    bytes: new Uint8Array(buffer, byteOffset, byteLength),
    contiguous: true,
    device: 'cpu',
    host,
  };
}
