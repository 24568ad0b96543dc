import { accessSync, closeSync, constants, mkdtempSync, openSync, rmSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FirError, messageOf } from '../../errors.js';
import { writeFully } from '../../io/positioned-io.js';

const SHARED_MEMORY = '/dev/shm';

/**
 * Files through which tensors go to a worker: in shared memory, and in the temporary folder where that is missing or
 * full. They are written, never stored to through a mapping: a full file system is an error, not a signal.
 */
export class SharedFiles {
  readonly folders: readonly [shared: string, fallback: string];
  #count = 0;

  constructor(sharedMemory: string = SHARED_MEMORY) {
    const fallback = mkdtempSync(join(tmpdir(), 'fir-replay-'));
    this.folders = [makeShared(sharedMemory) ?? fallback, fallback];
  }

  /** FirError IO_FAILED where neither place has room. */
  write(bytes: Uint8Array): string {
    this.#count += 1;
    let failure: unknown;
    for (const folder of new Set(this.folders)) {
      const path = join(folder, `in-${this.#count}`);
      try {
        writeWhole(path, bytes);
        return path;
      } catch (error) {
        failure = error;
        remove(path);
      }
    }
    throw new FirError(
      'IO_FAILED',
      `a tensor of ${bytes.length} bytes can't be passed to the worker: ${messageOf(failure)}`,
      { where: this.folders.join(' and '), hint: 'free some room there, or set TMPDIR', cause: failure },
    );
  }

  /** Whether a path is of a file directly in one of the folders. */
  owns(path: string): boolean {
    return this.folders.some((folder) => {
      const name = path.startsWith(`${folder}/`) ? path.slice(folder.length + 1) : '';
      return name !== '' && !name.includes('/') && name !== '..';
    });
  }

  /** Files that are not in the folders stay. */
  remove(paths: readonly string[]): void {
    for (const path of paths) if (this.owns(path)) remove(path);
  }

  dispose(): void {
    for (const folder of this.folders) rmSync(folder, { recursive: true, force: true });
  }
}

function makeShared(sharedMemory: string): string | undefined {
  try {
    accessSync(sharedMemory, constants.W_OK);
    return mkdtempSync(join(sharedMemory, 'fir-replay-'));
  } catch {
    return undefined;
  }
}

function writeWhole(path: string, bytes: Uint8Array): void {
  const fd = openSync(path, 'wx', 0o600);
  try {
    writeFully(fd, [bytes]);
  } finally {
    closeSync(fd);
  }
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It was not made, or is gone.
  }
}
