import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TorchFile, type TorchTensor, type TorchWrite, writeTorch } from '../../../src/core/torch/index.js';
import { makeTempDir } from '../../support/temp-dir.js';
import { loadWithTorch } from './load-torch.js';
import { anyViews, elementBytesOf, NEW_DTYPES, OLD_DTYPES, valuesOf, viewOf } from './random-views.js';

/** A tensor after it was written and read, by whomever. */
interface ReadTensor {
  dtype: string;
  shape: number[];
  stride: number[];
  offset: number;
  storage: unknown;
  values: string;
}

function written(write: TorchWrite): Omit<ReadTensor, 'offset' | 'storage'> {
  const { dtype, shape, stride } = write;
  return { dtype, shape: [...shape], stride: [...stride], values: valuesOf(write) };
}

/** Every tensor as it was, and of each two whether they share a storage and how far from each other they lie. */
function expectSame(
  writes: readonly TorchWrite[],
  read: ReadonlyMap<string, ReadTensor>,
  sharesDtypes: boolean,
): void {
  expect([...read.keys()].sort()).toEqual(writes.map(({ key }) => key).sort());
  for (const [index, write] of writes.entries()) {
    const one = read.get(write.key);
    expect(one).toMatchObject(written(write));
    for (const other of writes.slice(0, index)) {
      // A storage without memory is nobody's.
      if (one === undefined || write.bytes.length === 0 || other.bytes.length === 0) continue;
      const two = read.get(other.key);
      const shares = other.storage === write.storage && (sharesDtypes || other.dtype === write.dtype);
      expect(two?.storage === one.storage).toBe(shares);
      if (!shares || two === undefined) continue;
      const distance = one.offset * elementBytesOf(write.dtype) - two.offset * elementBytesOf(other.dtype);
      expect(distance).toBe(write.byteOffset - other.byteOffset);
    }
  }
}

/** What the file holds by our own reader. */
function readBack(path: string): Map<string, ReadTensor> {
  const file = TorchFile.open(path);
  const isTensor = (entry: [string, object]): entry is [string, TorchTensor] => 'dtype' in entry[1];
  const read = [...file.entries].filter(isTensor).map(([key, tensor]): [string, ReadTensor] => {
    const { dtype, shape, stride, offset, storage } = tensor;
    file.verify(storage);
    const memory = Uint8Array.from(file.readRange(storage, 0, storage.byteLength)).buffer;
    const values = valuesOf(viewOf(key, memory, dtype, shape, stride, offset * elementBytesOf(dtype)));
    return [key, { dtype, shape, stride, offset, storage, values }];
  });
  file.close();
  return new Map(read);
}

describe('tensors over shared memories', () => {
  it('come back as they were in torch', async () => {
    const sets = fc.sample(anyViews(OLD_DTYPES), { seed: 1, numRuns: 200 });
    const dir = makeTempDir();
    const paths = sets.map((writes, index) => {
      const path = join(dir, `${index}.pt`);
      writeTorch(path, writes);
      return path;
    });
    const loaded = await loadWithTorch(paths);
    for (const [index, writes] of sets.entries()) {
      const read = Object.entries(loaded[index] ?? {}).map(([key, tensor]) => {
        return [key, { ...tensor, dtype: tensor.dtype.replace('torch.', '') }] as const;
      });
      expectSame(writes, new Map(read), false);
    }
  });

  it.each([
    ['that every torch knows', OLD_DTYPES, false],
    ['of newer releases', NEW_DTYPES, true],
  ])('come back as they were in our own reader, with dtypes %s', (_, dtypes, sharesDtypes) => {
    const path = join(makeTempDir(), 'tensors.pt');
    fc.assert(
      fc.property(anyViews(dtypes), (writes) => {
        writeTorch(path, writes);
        expectSame(writes, readBack(path), sharesDtypes);
      }),
    );
  });
});
