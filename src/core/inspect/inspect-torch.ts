import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { reasonOf } from '../session/reason-of.js';
import { TorchValues } from '../session/torch-values.js';
import { elementCount } from '../tensor/index.js';
import { globalsNote } from './call-notes.js';
import type { TensorOptions } from './call-tensors.js';
import { statisticsOf } from './statistics.js';
import { hashChunks } from './tensor-hash.js';
import type { FileInspection, InspectFileTensor } from './types.js';

/** What `fir inspect` tells of one .pt file. Nothing in it is run. FirError NOT_FOUND, TORCH_INVALID. */
export function inspectTorch(path: string, options: TensorOptions = {}): FileInspection {
  const file = new TorchValues(path);
  try {
    const storages = new Map<string, string[]>();
    const tensors = [...file.keys].map((key) => inspectEntry(file, key, options, storages));
    for (const keys of storages.values()) {
      for (const tensor of keys.length < 2 ? [] : tensors) {
        if (keys.includes(tensor.key)) tensor.sharedWith = keys.filter((key) => key !== tensor.key);
      }
    }
    const notes = globalsNote(basename(path), file.foreignGlobals);
    const about = { path, bytes: statSync(path).size, metadata: {} };
    return { format: 'fir.inspect-file/1', file: about, tensors, ...(notes.length === 0 ? {} : { notes }) };
  } finally {
    file.close();
  }
}

function inspectEntry(
  file: TorchValues,
  key: string,
  options: TensorOptions,
  storages: Map<string, string[]>,
): InspectFileTensor {
  const inspected: InspectFileTensor = { key, dtype: '', shape: [], bytes: 0 };
  try {
    const tensor = file.tensor(key);
    const { dtype, shape, stride, offset, storage } = tensor;
    const source = file.source(tensor, 0);
    Object.assign(inspected, { dtype, shape, bytes: source.byteLength, stride, offset });
    if (storage.byteLength > source.byteLength) inspected.storedBytes = storage.byteLength;
    if (tensor.isParameter) inspected.parameter = true;
    if (tensor.requiresGrad) inspected.requiresGrad = true;
    if (storage.byteLength > 0) storages.set(storage.key, [...(storages.get(storage.key) ?? []), key]);
    source.checkValues?.(false);
    if (options.stats === true) {
      const stats = statisticsOf(dtype, elementCount(shape), () => source.chunks(CHUNK_BYTES));
      if (stats !== undefined) inspected.stats = stats;
    }
    if (options.hash === true) inspected.sha256 = hashChunks(source.chunks(CHUNK_BYTES));
  } catch (error) {
    inspected.error = reasonOf(error);
  }
  return inspected;
}

const CHUNK_BYTES = 4 * 2 ** 20;
