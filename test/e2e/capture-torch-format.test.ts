import { readdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadWithTorch } from '../core/torch/load-torch.js';
import { repository, runFir } from '../support/fir.js';
import { identityModel, type OnnxType } from '../support/onnx-model.js';
import { replayJson } from '../support/replay-json.js';
import { captureProgram, readCaptured, sharedDirectory } from './captured.js';

const TYPES: readonly OnnxType[] = [
  'float32',
  'float64',
  'uint8',
  'uint16',
  'uint32',
  'uint64',
  'int8',
  'int16',
  'int32',
  'int64',
  'bool',
  'string',
];

interface InspectedTensor {
  key: string;
  dtype: string;
  shape: number[];
  stride: number[];
  sharedWith?: string[];
  sha256: string;
}

type Inspected = Record<'inputs' | 'outputs' | 'mutated', InspectedTensor[]> & { function: string };

/** What `fir inspect --hash` says of each call, without the places in memory that differ from run to run. */
async function inspected(session: string): Promise<object[]> {
  const { code, stdout } = await runFir(['inspect', session, '--hash', '--json']);
  expect(code).toBe(0);
  const { calls } = JSON.parse(stdout) as { calls: Inspected[] };
  const told = (tensors: readonly InspectedTensor[] = []): object[] =>
    tensors.map(({ key, dtype, shape, stride, sharedWith, sha256 }) => {
      return { key, dtype, shape, stride, sharedWith, sha256 };
    });
  return calls.map(({ function: name, inputs, outputs, mutated }) => {
    return { name, inputs: told(inputs), outputs: told(outputs), mutated: told(mutated) };
  });
}

/** Paths of the tensor files of a session, of either format. */
function tensorFiles(session: string): string[] {
  return readdirSync(session, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(?:pt|safetensors)$/.test(name))
    .map((name) => join(session, name));
}

const directory = sharedDirectory();
const sessions = { torch: join(directory, 'torch'), safetensors: join(directory, 'safetensors') };

beforeAll(async () => {
  for (const format of ['torch', 'safetensors'] as const) {
    const flags = ['--format', format];
    expect(await captureProgram(sessions[format], ['change-arguments.mjs'], { flags })).toMatchObject({
      code: 0,
    });
  }
});

describe('a session of the torch format', () => {
  it('has .pt files only, and says so in every record', () => {
    const names = new Set(tensorFiles(sessions.torch).map((path) => basename(path)));
    expect([...names].sort()).toEqual(['inputs.pt', 'mutated.pt', 'outputs.pt']);
    for (const { record, fir } of readCaptured(sessions.torch).calls) {
      expect(record.tensor_format).toBe('torch');
      for (const [key, { data }] of Object.entries(fir.tensors)) {
        if (data === undefined || !('file' in data)) continue;
        expect(data).toEqual({ file: expect.stringMatching(/^(in|out)puts\.pt$/), key });
      }
    }
  });

  it('holds what the same calls hold as safetensors: values, changes, sharing and strides', async () => {
    const calls = await inspected(sessions.torch);
    expect(calls).toEqual(await inspected(sessions.safetensors));
    expect(calls).toHaveLength(23);
  });

  it('replays with the same verdicts', async () => {
    const app = ['--app', repository, '--allow-incomplete'];
    const [torch, safetensors] = [
      await replayJson(sessions.torch, app),
      await replayJson(sessions.safetensors, app),
    ];
    expect(torch.verdicts).toEqual(safetensors.verdicts);
    expect(torch.summary).toEqual(safetensors.summary);
    expect(torch.summary).toMatchObject({ mismatch: 0, error: 0, skipped: 0, exitCode: 0 });
  });

  it('loads in torch, where a tensor that was passed twice stands under both keys', async () => {
    const { calls } = readCaptured(sessions.torch);
    const paths = tensorFiles(sessions.torch);
    const loaded = new Map((await loadWithTorch(paths)).map((tensors, index) => [paths[index], tensors]));
    for (const { path, fir, tensor } of calls) {
      for (const group of ['inputs', 'outputs', 'mutated'] as const) {
        for (const [key, found] of Object.entries(loaded.get(join(path, `${group}.pt`)) ?? {})) {
          const { dtype, shape, stride } = fir.tensors[key] ?? {};
          expect(found).toMatchObject({ dtype: `torch.${dtype}`, shape, stride });
          expect(found.values).toBe(Buffer.from(tensor(group, key).logicalBytes()).toString('hex'));
        }
      }
    }
    const [whole, first, again] = keysOf(loaded.get(join(calls[8]?.path ?? '', 'inputs.pt')));
    expect(again).toEqual(whole);
    expect(first).toMatchObject({ storage: whole?.storage, storageBytes: 16 });
  });
});

function keysOf<T>(tensors: Record<string, T> = {}): (T | undefined)[] {
  return ['arg_0', 'arg_1', 'arg_2'].map((key) => tensors[key]);
}

describe('tensors of onnxruntime', () => {
  it('of every type are recorded as in the other format, strings too, and replayed', async () => {
    for (const type of TYPES) writeFileSync(join(directory, `${type}.onnx`), identityModel(type));
    const told: object[][] = [];
    for (const format of ['torch', 'safetensors']) {
      const session = join(directory, `types-${format}`);
      const flags = ['--format', format];
      const { code } = await captureProgram(session, ['ort-every-type.cjs', directory], { flags });
      expect(code).toBe(0);
      told.push(await inspected(session));
    }
    expect(told[0]).toEqual(told[1]);
    expect(told[0]).toHaveLength(TYPES.length * 4);
    const { summary } = await replayJson(join(directory, 'types-torch'), ['--allow-incomplete']);
    expect(summary).toMatchObject({ mismatch: 0, error: 0, exitCode: 0 });
  });
});
