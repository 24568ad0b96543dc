import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { buildRequest } from '../../../../src/core/replay/python/build-request.js';
import { DeviceMap } from '../../../../src/core/replay/python/device-map.js';
import { SharedFiles } from '../../../../src/core/replay/python/shared-files.js';
import { openSession } from '../../../../src/core/session/index.js';
import { type TorchWrite, writeTorch } from '../../../../src/core/torch/index.js';
import { tensorOf, type WrittenCall, writeSession } from '../../../support/session-writer.js';
import { makeTempDir } from '../../../support/temp-dir.js';

const LARGE = 100_000;
const BYTES = LARGE * 4;

/** The request for a session's only call; `write` puts its tensor files down. */
function requestOf(call: Partial<WrittenCall>, write: (path: string) => void = () => undefined) {
  const dir = makeTempDir();
  const [written] = writeSession(dir, [{ functionName: 'f', ...call }], { foreign: true });
  const path = written?.path ?? '';
  write(path);
  const session = openSession(dir);
  const [entry] = session.calls;
  if (entry === undefined) throw new Error('no call');
  const dump = session.openDump(entry);
  const files = new SharedFiles();
  onTestFinished(() => {
    dump.close();
    files.dispose();
  });
  const request = {
    call: 1,
    dump: dump.path,
    kind: 'function',
    resolution: undefined,
    purpose: 'check',
    firstRun: '',
    keepResults: false,
    self: undefined,
    uses: [],
    makes: [],
  } as const;
  const place = { kind: 'python', module: 'kernels' } as const;
  return {
    path,
    request: buildRequest(request, dump, { devices: new DeviceMap('cpu', []), files, place, seed: 0 }),
  };
}

function torchCall(writes: TorchWrite[]): [Partial<WrittenCall>, (path: string) => void] {
  const keys = writes.map(({ key }) => key);
  const tensorInfo = { input_tensor_keys: keys, output_tensor_keys: [] };
  return [
    { record: { tensor_format: 'torch', tensor_info: tensorInfo } },
    (path) => writeTorch(join(path, 'inputs.pt'), writes),
  ];
}

test('a recorded .pt file is passed on as it is, with the place of each storage, views of one sharing it', () => {
  const bytes = new Uint8Array(BYTES).map((_, index) => index);
  const view = (key: string, shape: number[], offset: number): TorchWrite => ({
    key,
    dtype: 'float32',
    shape,
    stride: [1],
    storage: bytes,
    byteOffset: offset * 4,
    bytes: bytes.subarray(offset * 4, (offset + (shape[0] ?? 0)) * 4),
  });
  const { path, request } = requestOf(...torchCall([view('arg_0', [LARGE], 0), view('arg_1', [10], 5)]));
  const [storage] = request.run.storages;
  if (storage === undefined || !('file' in storage)) throw new Error('no file');
  expect(request.run.storages).toHaveLength(1);
  expect(storage).toMatchObject({ bytes: BYTES, file: join(path, 'inputs.pt') });
  const there = readFileSync(storage.file).subarray(storage.offset, storage.offset + BYTES);
  expect(there.equals(bytes)).toBe(true);
  expect(request.run.tensors.map(({ key, storage: index, offset }) => [key, index, offset])).toEqual([
    ['arg_0', 0, 0],
    ['arg_1', 0, 5],
  ]);
  // Nothing was written, and the record is all that the frame holds.
  expect([request.files, request.payload.length]).toEqual([[], 1]);
});

test('so is a safetensors file, where its layout is the recorded one', () => {
  const { path, request } = requestOf({ inputs: { arg_0: tensorOf('float32', Array(LARGE).fill(1)) } });
  expect(request.run.storages).toEqual([
    expect.objectContaining({ bytes: BYTES, file: join(path, 'inputs.safetensors') }),
  ]);
  expect(request.files).toEqual([]);
});

test('what was stored contiguous is laid out again with the recorded strides', () => {
  const values = Array.from({ length: LARGE }, (_, index) => index);
  const arg_0 = { ...tensorOf('float32', values, [LARGE / 2, 2]), stride: [1, LARGE / 2] };
  const { request } = requestOf({ inputs: { arg_0 } });
  const [storage] = request.run.storages;
  if (storage === undefined || !('file' in storage)) throw new Error('no file');
  expect(request.files).toEqual([storage.file]);
  expect(request.run.tensors).toEqual([
    expect.objectContaining({ shape: [LARGE / 2, 2], stride: [1, LARGE / 2] }),
  ]);
  const memory = readFileSync(storage.file);
  // Column by column: 0, 2, 4 …
  expect([0, 1, LARGE / 2].map((index) => memory.readFloatLE(index * 4))).toEqual([0, 2, 1]);
});

test('small tensors travel in the frame', () => {
  const { request } = requestOf({ inputs: { arg_0: tensorOf('float32', [1, 2]) } });
  expect(request.run.storages).toEqual([expect.objectContaining({ bytes: 8, inline: expect.any(Number) })]);
  expect(request.files).toEqual([]);
});
