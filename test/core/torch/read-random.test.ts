import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TorchFile, type TorchStorage } from '../../../src/core/torch/index.js';
import { pythonWithTorch } from '../../support/python.js';
import { makeTempDir } from '../../support/temp-dir.js';
import { tensorOf, valuesOf } from './read-tensor.js';

interface SavedTensor {
  dtype: string;
  shape: number[];
  stride: number[];
  offset: number;
  storageBytes: number;
  group: number | null;
  requiresGrad: boolean;
  isParameter: boolean;
  sha256: string;
}

const SCRIPT = fileURLToPath(new URL('save-random.py', import.meta.url));

describe('files of the torch that is here', () => {
  let directory: string;
  let saved: Record<string, Record<string, SavedTensor>>;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'fir-test-'));
    const done = spawnSync(await pythonWithTorch(), [SCRIPT, directory], {
      encoding: 'utf8',
      maxBuffer: 2 ** 26,
    });
    if (done.status !== 0) throw new Error(`save-random.py failed: ${done.stderr || done.error?.message}`);
    saved = JSON.parse(done.stdout);
  });

  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it('random views of shared storages, of every protocol, are read to the byte', () => {
    for (const [name, tensors] of Object.entries(saved)) {
      const file = TorchFile.open(join(directory, name));
      expect([...file.entries.keys()]).toEqual(Object.keys(tensors));
      const groups = new Map<TorchStorage, number>();
      for (const [key, wanted] of Object.entries(tensors)) {
        const { storage, kind: _, ...layout } = tensorOf(file, key);
        if (wanted.group !== null) {
          expect(groups.get(storage) ?? wanted.group).toBe(wanted.group);
          groups.set(storage, wanted.group);
        }
        const sha256 = createHash('sha256').update(valuesOf(file, key)).digest('hex');
        expect({ ...layout, storageBytes: storage.byteLength, group: wanted.group, sha256 }).toEqual(wanted);
        file.verify(storage);
      }
      expect(new Set(groups.values()).size).toBe(groups.size);
      expect(file.foreignGlobals).toEqual([]);
      file.close();
    }
  });

  it('a slice is 16 bytes of a storage that was saved whole', () => {
    const path = join(directory, 'slice.pt');
    const file = TorchFile.open(path);
    const { storage, offset } = tensorOf(file, 'slice');
    expect([storage.byteLength, offset]).toEqual([400_000, 10]);
    expect(statSync(path).size).toBeGreaterThan(400_000);
    const bytes = file.readRange(storage, offset * 4, (offset + 4) * 4);
    expect([...new Float32Array(bytes.buffer, 0, 4)]).toEqual([10, 11, 12, 13]);
    file.close();
  });

  it('two slices of one storage still share it', () => {
    const file = TorchFile.open(join(directory, 'overlap.pt'));
    const [first, second] = [tensorOf(file, '0'), tensorOf(file, '1')];
    expect(first.storage).toBe(second.storage);
    expect([first.offset, second.offset]).toEqual([0, 2]);
  });

  it('strides are followed', () => {
    const file = TorchFile.open(join(directory, 'strided.pt'));
    const floats = (key: string) => [...new Float32Array(valuesOf(file, key).slice().buffer)];
    expect(floats('transposed')).toEqual([0, 3, 1, 4, 2, 5]);
    expect(floats('expanded')).toEqual([1, 2, 1, 2, 1, 2]);
    expect(tensorOf(file, 'expanded').storage.byteLength).toBe(8);
  });

  it('the name of the file does not matter', () => {
    const renamed = join(makeTempDir(), 'outputs of another call.bin');
    copyFileSync(join(directory, 'strided.pt'), renamed);
    expect([...TorchFile.open(renamed).entries.keys()]).toEqual(['transposed', 'expanded']);
  });

  it('a file of the format before 1.6 is named', () => {
    expect(() => TorchFile.open(join(directory, 'legacy.pt'))).toThrow(/before torch 1\.6/);
  });
});
