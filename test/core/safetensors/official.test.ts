import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeToFloat64, dtypeFromSafetensors, viewAs } from '../../../src/core/dtype/index.js';
import { SafetensorsFile, writeSafetensors } from '../../../src/core/safetensors/index.js';
import { pythonWith, SAFETENSORS_PACKAGES } from '../../support/python.js';
import { askOfficial } from './official-library.js';
import { anyTensors, tensorOfEachDtype } from './random-tensors.js';

interface Described {
  dtype: string;
  shape: number[];
  data: string;
}

let dir: string;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'fir-official-'));
  await pythonWith(SAFETENSORS_PACKAGES);
}, 600_000);
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe('the official library and this one', () => {
  it('reads what we write, of every dtype that it knows', async () => {
    const path = join(dir, 'ours.safetensors');
    const tensors = tensorOfEachDtype(1);
    writeSafetensors(path, tensors);
    const { tensors: read } = await askOfficial<{ tensors: Record<string, Described> }>('read', { path });
    const expected = tensors.map(({ key, dtype, shape, data }) => [key, { dtype, shape, data: hexOf(data) }]);
    expect(read).toEqual(Object.fromEntries(expected));
    expect(tensors.length).toBe(22);
  });

  it('writes the same bytes as we do', async () => {
    const path = join(dir, 'same.safetensors');
    const files = fc.sample(anyTensors, { seed: 7, numRuns: 12 });
    for (const file of files) {
      // The 6-bit types can be read, but not written, by the Python library.
      const tensors = file.filter(({ dtype }) => !dtype.startsWith('F6'));
      writeSafetensors(path, tensors, { maker: '"fir" é\n' });
      const { again } = await askOfficial<{ again: string }>('read', {
        path,
        metadata: { maker: '"fir" é\n' },
      });
      expect(again).toBe(readFileSync(path).toString('hex'));
    }
  });

  it('finds the same values in the dtypes of numpy', async () => {
    const path = join(dir, 'numpy.safetensors');
    const known = new Set([
      'BOOL',
      'U8',
      'I8',
      'U16',
      'I16',
      'U32',
      'I32',
      'U64',
      'I64',
      'F16',
      'F32',
      'F64',
      'C64',
    ]);
    const tensors = tensorOfEachDtype(2).filter(({ dtype }) => known.has(dtype));
    writeSafetensors(path, tensors, { seed: '2' });
    const answer = await askOfficial<{ values: Record<string, string>; metadata: object }>('values', {
      path,
    });
    expect(answer.metadata).toEqual({ seed: '2' });
    const file = SafetensorsFile.open(path);
    for (const { key, dtype } of tensors) {
      const name = dtypeFromSafetensors(dtype)?.name;
      if (name === undefined) throw new Error(dtype);
      const theirs = viewAs(Float64Array, Buffer.from(answer.values[key] ?? '', 'hex'));
      expect(decodeToFloat64(name, file.read(key)), dtype).toEqual(theirs);
    }
    file.close();
  });

  it('reads what the library writes, of every dtype that it writes', async () => {
    const path = join(dir, 'theirs.safetensors');
    const written = await askOfficial<Record<string, Described>>('write', { path, seed: 3 });
    const file = SafetensorsFile.open(path);
    const read = [...file.entries.values()].map(({ key, dtype, shape }) => [
      key,
      { dtype, shape, data: hexOf(file.read(key)) },
    ]);
    expect(Object.fromEntries(read)).toEqual(written);
    expect(file.entries.size).toBe(80);
    expect(file.unknownDtypes).toEqual([]);
    expect(Object.fromEntries(file.metadata)).toEqual({ maker: 'official "library" é' });
    file.close();
  });
});

function hexOf(data: Uint8Array | readonly Uint8Array[]): string {
  return Buffer.concat(ArrayBuffer.isView(data) ? [data] : data).toString('hex');
}
