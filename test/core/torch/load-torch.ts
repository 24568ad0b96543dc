import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { pythonWithTorch } from '../../support/python.js';

const SCRIPT = fileURLToPath(new URL('load-torch.py', import.meta.url));

/** A tensor as torch has it in memory. */
export interface LoadedTensor {
  /** `torch.float32`. */
  dtype: string;
  shape: number[];
  stride: number[];
  /** In elements. */
  offset: number;
  /** Equal for tensors of one file that share a storage; 0 for one without memory. */
  storage: number;
  storageBytes: number;
  /** The logical values, row-major, in hexadecimal digits. */
  values: string;
}

/** The tensors of each file by key, by `torch.load(path, weights_only=True)` in one process. */
export async function loadWithTorch(paths: readonly string[]): Promise<Record<string, LoadedTensor>[]> {
  const done = spawnSync(await pythonWithTorch(), [SCRIPT], {
    input: JSON.stringify(paths),
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  if (done.status !== 0) throw new Error(`load-torch.py failed: ${done.stderr || done.error?.message}`);
  return JSON.parse(done.stdout) as Record<string, LoadedTensor>[];
}
