import { closeSync, ftruncateSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SafetensorsFile, writeSafetensors } from '../../../src/core/safetensors/index.js';
import { makeTempDir } from '../../support/temp-dir.js';
import { entry, rawFile } from './raw-file.js';

const GIB = 2 ** 30;

/** A file that takes no room on disk: one tensor of zeros, then `last`, 4 bytes of interest at the end. */
function placeSparseFile(zeroBytes: number, last: readonly number[]): string {
  const path = join(makeTempDir(), 'sparse.safetensors');
  const header = `{${entry('zeros', 'U8', [zeroBytes], 0, zeroBytes)},${entry('last', 'U8', [4], zeroBytes, zeroBytes + 4)}}`;
  const fd = openSync(path, 'wx');
  const dataStart = writeSync(fd, rawFile(header));
  ftruncateSync(fd, dataStart + zeroBytes);
  writeSync(fd, Uint8Array.from(last), 0, 4, dataStart + zeroBytes);
  closeSync(fd);
  return path;
}

function memoryOf(action: () => void): number {
  const before = process.memoryUsage().rss;
  action();
  return process.memoryUsage().rss - before;
}

describe('files past the limits of one system call', () => {
  it.each([3 * GIB, 5 * GIB + 1, 10 * GIB])(
    'reads the end of a file of %d bytes without the rest',
    (zeroBytes) => {
      const path = placeSparseFile(zeroBytes, [1, 2, 3, 4]);
      const used = memoryOf(() => {
        const file = SafetensorsFile.open(path);
        expect(file.entries.get('last')?.begin).toBe(statSync(path).size - 4);
        expect(file.read('last')).toEqual(Uint8Array.of(1, 2, 3, 4));
        file.close();
      });
      expect(used).toBeLessThan(64 * 2 ** 20);
    },
  );

  it('goes through a large tensor in bounded memory', () => {
    const path = placeSparseFile(GIB, [1, 2, 3, 4]);
    const file = SafetensorsFile.open(path);
    let bytes = 0;
    const used = memoryOf(() => {
      for (const chunk of file.chunks('zeros')) bytes += chunk.length;
    });
    file.close();
    expect(bytes).toBe(GIB);
    expect(used).toBeLessThan(128 * 2 ** 20);
  });

  it('writes one tensor of more than 2^31 bytes whole, and reads across that border', () => {
    const path = join(makeTempDir(), 'x.safetensors');
    // Memory that is never touched costs nothing.
    const data = new Uint8Array(2 * GIB + 16);
    data.set([1, 2, 3, 4], 2 * GIB - 2);
    data.set([9], data.length - 1);
    const bytes = writeSafetensors(path, [{ key: 'x', dtype: 'U8', shape: [data.length], data }]);
    expect(statSync(path).size).toBe(bytes);
    const file = SafetensorsFile.open(path);
    const begin = file.entries.get('x')?.begin ?? 0;
    const across = file.readRange(begin + 2 * GIB - 3, begin + 2 * GIB + 3);
    expect(across).toEqual(Uint8Array.of(0, 1, 2, 3, 4, 0));
    expect(file.readRange(bytes - 1, bytes)).toEqual(Uint8Array.of(9));
    file.close();
    rmSync(path);
  });
});
