import { byteLengthOf } from '../dtype/index.js';
import { FirError } from '../errors.js';
import type { DtypeName } from '../model/dtype.js';
import { placeLayout } from '../tensor/index.js';
import { LIMITS } from './limits.js';
import { opaque, showName } from './opaque.js';
import { PickleGlobal, PickleReference, type PickleValue } from './pickle-values.js';
import type { StorageView } from './storages.js';
import { findTorchDtype, isDtypeName } from './torch-names.js';
import type { TorchOpaque, TorchTensor } from './types.js';

/** What `_rebuild_tensor`, `_v2` and `_v3` of torch/_utils.py are given. */
interface Parts {
  storage: PickleValue | undefined;
  offset: PickleValue | undefined;
  shape: PickleValue | undefined;
  stride: PickleValue | undefined;
  requiresGrad: PickleValue | undefined;
  /** Only the third version has one; else the storage's class says it. */
  dtype?: PickleValue | undefined;
  metadata: PickleValue | undefined;
}

/** The tensor that a call of `_rebuild_tensor_v2` (also of `_rebuild_tensor`, whose arguments are its first) makes. */
export function rebuildTensor(args: readonly PickleValue[]): TorchTensor | TorchOpaque {
  const [storage, offset, shape, stride, requiresGrad, , metadata] = args;
  return rebuild({ storage, offset, shape, stride, requiresGrad, metadata });
}

/** The tensor that a call of `_rebuild_tensor_v3` makes. */
export function rebuildTensorV3(args: readonly PickleValue[]): TorchTensor | TorchOpaque {
  const [storage, offset, shape, stride, requiresGrad, , dtype = null, metadata] = args;
  return rebuild({ storage, offset, shape, stride, requiresGrad, dtype, metadata });
}

function rebuild(parts: Parts): TorchTensor | TorchOpaque {
  const view = findView(parts.storage);
  if ('kind' in view) return view;
  const dtype = parts.dtype === undefined ? view.dtype : findDtype(parts.dtype);
  if (typeof dtype === 'object') return dtype;
  const shape = readCounts(parts.shape);
  const stride = readCounts(parts.stride);
  if (shape === undefined || stride === undefined || typeof parts.offset !== 'number') {
    return opaque('its shape, stride or offset is not made of counts');
  }
  const fault =
    findMetadataFault(parts.metadata) ?? findLayoutFault(dtype, shape, stride, parts.offset, view);
  if (fault !== undefined) return opaque(fault);
  return {
    kind: 'tensor',
    dtype,
    shape,
    stride,
    offset: parts.offset,
    storage: view.storage,
    requiresGrad: parts.requiresGrad === true,
    isParameter: false,
  };
}

function findView(value: PickleValue | undefined): StorageView | TorchOpaque {
  if (value instanceof PickleReference) {
    return value.target as StorageView | TorchOpaque;
  }
  const isOpaque = typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'opaque';
  return isOpaque ? opaque(`its storage depends on ${value.reason}`) : opaque('its storage is not one');
}

function findDtype(value: PickleValue): DtypeName | TorchOpaque {
  const name = value instanceof PickleGlobal ? /^torch\.(\w+)$/.exec(value.name)?.[1] : undefined;
  if (name === undefined) return opaque('its dtype is not one of torch');
  const dtype = findTorchDtype(name);
  if (dtype !== undefined) return dtype;
  return opaque(
    isDtypeName(name) ? `${showName(name)} is not supported` : `unknown dtype ${showName(`torch.${name}`)}`,
  );
}

/** The sizes of a tuple or torch.Size; undefined for anything else. */
function readCounts(value: PickleValue | undefined): number[] | undefined {
  if (!Array.isArray(value) || value.length > LIMITS.dimensions) return undefined;
  return value.every((count): count is number => typeof count === 'number') ? [...value] : undefined;
}

/** Marks of a tensor whose memory is to be read differently; torch writes them only where they are set. */
function findMetadataFault(metadata: PickleValue | undefined): string | undefined {
  if (!(metadata instanceof Map)) return undefined;
  for (const [mark, isSet] of metadata) {
    if (isSet === false) continue;
    if (mark === 'conj') return 'conjugate views are not supported';
    if (mark === 'neg') return 'negative views are not supported';
    return 'it carries metadata of a device that is not known';
  }
  return undefined;
}

function findLayoutFault(
  dtype: DtypeName,
  shape: number[],
  stride: number[],
  offset: number,
  { storage }: StorageView,
): string | undefined {
  try {
    placeLayout({ dtype, shape, stride, offset }, storage.byteLength);
    // An empty tensor reaches no byte, but its offset is still checked by whoever lays a view there.
    byteLengthOf(dtype, offset);
    return undefined;
  } catch (error) {
    if (error instanceof FirError) return error.message;
    throw error;
  }
}
