import { writeFileBeside } from '../io/write-beside.js';
import { encodeTorch } from './encode-torch.js';
import type { TorchWrite } from './place-views.js';

/**
 * Writes a file of mode 0600 beside `path` and renames it there once it is complete. Returns its bytes.
 * Throws as encodeTorch does, and the file system's own errors.
 */
export function writeTorch(path: string, tensors: readonly TorchWrite[]): number {
  const { pieces, byteLength } = encodeTorch(tensors);
  writeFileBeside(path, pieces);
  return byteLength;
}
