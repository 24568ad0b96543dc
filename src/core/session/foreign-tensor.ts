import { basename } from 'node:path';
import { FirError } from '../errors.js';
import type { CallRecord, TensorDetail } from '../model/call.js';
import { formatSizes } from '../tensor/index.js';
import type { TorchTensor } from '../torch/index.js';
import { DumpTensor } from './dump-tensor.js';
import { type ForeignLayout, foreignDetailOf, foreignLayoutOf, trueLayoutOf } from './foreign-layouts.js';
import type { TensorFiles } from './tensor-files.js';
import { TorchValues } from './torch-values.js';
import type { StoredTensor } from './types.js';
import type { ValueFile } from './value-file.js';

type ForeignGroup = 'inputs' | 'outputs';

export interface ForeignDump {
  record: CallRecord;
  /** The call's directory, and its name, which is unique in the session. */
  path: string;
  dump: string;
  files: TensorFiles;
}

/**
 * A tensor of a call that another recorder wrote. Of a .pt file the file itself tells the layout, of a safetensors
 * file, where all is contiguous, the record. FirError TENSOR_*, DTYPE_UNKNOWN, and what opening the file throws where
 * the record has no layout either.
 */
export function foreignTensor(dump: ForeignDump, group: ForeignGroup, key: string): StoredTensor {
  const { record, files, path } = dump;
  const name = files.nameOf(group, record.tensor_format);
  const layout = foreignLayoutOf(record, group, key);
  let file: ValueFile;
  try {
    file = files.open(name);
  } catch (error) {
    if (layout === undefined) throw error;
    return new DumpTensor(key, layout, () => {
      throw error;
    });
  }
  if (file instanceof TorchValues) return torchTensor(dump, group, key, file, layout);
  const known = layout ?? file.layoutOf(key);
  if (known === undefined) {
    throw new FirError(
      'TENSOR_INVALID',
      `no layout of tensor ${JSON.stringify(key)} in the record or in ${name}`,
      { where: path },
    );
  }
  return new DumpTensor(key, known, () => file.find(key, known));
}

function torchTensor(
  { record, dump }: ForeignDump,
  group: ForeignGroup,
  key: string,
  file: TorchValues,
  layout: ForeignLayout | undefined,
): StoredTensor {
  let tensor: TorchTensor;
  try {
    tensor = file.tensor(key);
    checkAgainst(foreignDetailOf(record, group, key), tensor, key, file.path);
  } catch (error) {
    if (layout === undefined) throw error;
    return new DumpTensor(key, layout, () => {
      throw error;
    });
  }
  const { dtype, shape, stride, offset, storage } = tensor;
  const recordedDevice = layout?.device ?? 'unknown';
  const taggedDevice = storage.device === 'cpu' ? 'unknown' : storage.device;
  const common = {
    dtype,
    shape,
    device: recordedDevice === 'unknown' ? taggedDevice : recordedDevice,
    storedBytes: storage.byteLength,
    ...(tensor.isParameter ? { parameter: true as const } : {}),
    ...(tensor.requiresGrad ? { requiresGrad: true as const } : {}),
  };
  const memory = `${dump}/${basename(file.path)}#${storage.key}`;
  const original = trueLayoutOf(record, group, key);
  // What the recorder saved is a copy, which another layout than the program's own may have been given.
  if (original !== undefined && original.stride.join() !== stride.join()) {
    const { stride: own, storageBytes } = original;
    const place = { ...common, stride: own, offset: 0, storage: `${memory}/${key}`, storageBytes };
    return new DumpTensor(key, place, () => file.source(tensor, undefined));
  }
  const place = { ...common, stride, offset, storage: memory, storageBytes: storage.byteLength };
  return new DumpTensor(key, place, () => file.source(tensor, 0));
}

/** A record and a file that don't agree on what a tensor is are of two calls. */
function checkAgainst(
  detail: TensorDetail | undefined,
  { dtype, shape }: TorchTensor,
  key: string,
  where: string,
): void {
  if (detail === undefined) return;
  if (detail.dtype === `torch.${dtype}` && detail.shape.join() === shape.join()) return;
  throw new FirError(
    'TENSOR_INVALID',
    `tensor ${JSON.stringify(key)} is torch.${dtype} ${formatSizes(shape)}, ` +
      `but the record says ${detail.dtype} ${formatSizes(detail.shape)}`,
    { where },
  );
}
