import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { PLAIN } from '../../../src/cli/colour.js';
import { type FileInspection, inspectTorch } from '../../../src/core/inspect/index.js';
import { type TorchWrite, writeTorch } from '../../../src/core/torch/index.js';
import { writeFileJson } from '../../../src/report/inspect/json.js';
import { writeFileText } from '../../../src/report/inspect/text.js';
import { textSink } from '../../report/replay-results.js';
import { expectValid } from '../../support/schema.js';
import { tensorOf } from '../../support/session-writer.js';
import { makeTempDir } from '../../support/temp-dir.js';

const MEMORY = tensorOf(
  'float32',
  Array.from({ length: 25_000 }, (_, index) => index % 100),
).bytes as Uint8Array;

function view(key: string, shape: number[], stride: number[], offset: number): TorchWrite {
  const high = shape.reduce((sum, size, dim) => sum + (size - 1) * (stride[dim] ?? 0), offset);
  const bytes = MEMORY.subarray(offset * 4, (high + 1) * 4);
  return { key, dtype: 'float32', shape, stride, storage: MEMORY, byteOffset: offset * 4, bytes };
}

function written(): string {
  const path = join(makeTempDir(), 'views.pt');
  writeTorch(path, [view('whole', [25_000], [1], 0), view('slice', [2, 2], [1, 2], 10)]);
  return path;
}

async function textOf(inspection: FileInspection): Promise<string> {
  const sink = textSink();
  await writeFileText(inspection, sink, { columns: 100, paint: PLAIN, tensors: false });
  return sink.text;
}

it('tells what is in a file, and how much of it a view keeps', () => {
  const path = written();
  const { file, tensors, notes } = inspectTorch(path, { stats: true, hash: true });
  expect([file.path, file.metadata, notes]).toEqual([path, {}, undefined]);
  const [whole, slice] = tensors;
  expect(whole).toMatchObject({ dtype: 'float32', shape: [25_000], bytes: 100_000, sharedWith: ['slice'] });
  expect(whole?.storedBytes).toBeUndefined();
  expect(whole?.sha256).toBe(createHash('sha256').update(MEMORY).digest('hex'));
  expect(slice).toMatchObject({ bytes: 16, storedBytes: 100_000, stride: [1, 2], offset: 10 });
  expect(slice?.stats).toMatchObject({ min: 10, max: 13, mean: 11.5 });
});

it('is shown as text and as JSON of its schema', async () => {
  const path = written();
  expect(await textOf(inspectTorch(path))).toContain('slice   float32  [2,2]    16 B of 97.7 KiB stored');
  const sink = textSink();
  const notes = ['views.pt names os.system (not run)'];
  await writeFileJson({ ...inspectTorch(path, { stats: true }), notes }, sink);
  expectValid(JSON.parse(sink.text));
  expect(JSON.parse(sink.text).notes).toEqual(notes);
  expect(await textOf({ ...inspectTorch(path), notes })).toContain('\nviews.pt names os.system (not run)\n');
});

it.each(['float8_e4m3fn', 'float8_e5m2', 'bfloat16', 'uint16', 'complex128'] as const)(
  'has statistics of %s',
  (dtype) => {
    const path = join(makeTempDir(), 'one.pt');
    const { bytes = new Uint8Array(), shape } = tensorOf(
      dtype,
      [1, 0, 4, 0],
      dtype === 'complex128' ? [2] : [4],
    );
    const stride = [1];
    writeTorch(path, [{ key: 'x', dtype, shape, stride, storage: bytes, byteOffset: 0, bytes }]);
    const [tensor] = inspectTorch(path, { stats: true }).tensors;
    expect([tensor?.dtype, tensor?.stats?.max, tensor?.stats?.nan]).toEqual([dtype, 4, 0]);
  },
);

it('says which file is none', () => {
  const path = join(makeTempDir(), 'none.pt');
  writeFileSync(path, 'neither zip nor pickle');
  expect(() => inspectTorch(path)).toThrow(expect.objectContaining({ code: 'TORCH_INVALID' }));
});
