import { TorchFile } from '../../../src/core/torch/index.js';
import { placeArchive, torchRecords } from '../../core/torch/raw-zip.js';

const CONTENT = new Uint8Array(new Float32Array([1, 2, 3, 4]).buffer);

/** Opens an archive with this pickle and one storage of four floats. */
export function openPickle(pickle: Uint8Array): TorchFile {
  return TorchFile.open(placeArchive(torchRecords(pickle, { 0: CONTENT })));
}

/** What opening says is wrong. */
export function faultOf(open: () => unknown): string {
  try {
    open();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'TORCH_INVALID') return error.message;
    throw error;
  }
  throw new Error('no fault');
}
