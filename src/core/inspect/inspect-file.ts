import { statSync } from 'node:fs';
import { dtypeFromSafetensors } from '../dtype/index.js';
import { SafetensorsFile } from '../safetensors/index.js';
import { reasonOf } from '../session/reason-of.js';
import type { TensorOptions } from './call-tensors.js';
import { statisticsOf } from './statistics.js';
import { hashChunks } from './tensor-hash.js';
import type { FileInspection, InspectFileTensor } from './types.js';

/** What `fir inspect` tells of one .safetensors file. FirError NOT_FOUND, SAFETENSORS_INVALID. */
export function inspectSafetensors(path: string, options: TensorOptions = {}): FileInspection {
  const file = SafetensorsFile.open(path);
  try {
    const tensors = [...file.entries.keys()].map((key) => inspectEntry(file, key, options));
    const metadata = Object.fromEntries(file.metadata);
    return { format: 'fir.inspect-file/1', file: { path, bytes: statSync(path).size, metadata }, tensors };
  } finally {
    file.close();
  }
}

function inspectEntry(file: SafetensorsFile, key: string, options: TensorOptions): InspectFileTensor {
  const entry = file.entries.get(key);
  const bytes = (entry?.end ?? 0) - (entry?.begin ?? 0);
  const tensor: InspectFileTensor = { key, dtype: entry?.dtype ?? '', shape: entry?.shape ?? [], bytes };
  try {
    const dtype = dtypeFromSafetensors(tensor.dtype);
    if (options.stats === true && dtype !== undefined) {
      const elements = (bytes * 8) / dtype.bitsPerElement;
      const stats = statisticsOf(dtype.name, elements, () => file.chunks(key));
      if (stats !== undefined) tensor.stats = stats;
    }
    if (options.hash === true) tensor.sha256 = hashChunks(file.chunks(key));
  } catch (error) {
    tensor.error = reasonOf(error);
  }
  return tensor;
}
