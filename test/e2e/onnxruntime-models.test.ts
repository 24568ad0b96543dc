import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runFir, temporaryDirectory } from '../support/fir.js';
import { addModel, identityModel } from '../support/onnx-model.js';
import { replayJson } from '../support/replay-json.js';
import { type CapturedCall, captureProgram, readCaptured } from './captured.js';

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function creates(session: string): CapturedCall[] {
  return readCaptured(session).calls.filter(({ name }) => name === 'InferenceSession.create');
}

/** A session of a model whose weights are in a side file, by path and by bytes. */
async function captureExternalData(): Promise<{ models: string; session: string }> {
  const directory = temporaryDirectory();
  const models = join(directory, 'models');
  mkdirSync(models);
  writeFileSync(join(models, 'add.onnx'), addModel(2, { location: 'add.bin' }));
  writeFileSync(join(models, 'add.bin'), Buffer.from(Float32Array.of(10, 20).buffer));
  const session = join(directory, 'session');
  const captured = await captureProgram(session, ['ort-external-data.cjs', models]);
  expect(captured.stdout).toBe('Float32Array(2) [ 11, 22 ]\n'.repeat(2));
  return { models, session };
}

function changeLastByte(path: string): void {
  const bytes = readFileSync(path);
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  writeFileSync(path, bytes);
}

describe('InferenceSession.create', () => {
  it('is recorded and replayed in every form, failures too', async () => {
    const directory = temporaryDirectory();
    const model = join(directory, 'model.onnx');
    const garbage = join(directory, 'garbage.onnx');
    const bytes = identityModel('float32');
    writeFileSync(model, bytes);
    writeFileSync(garbage, 'no model');
    const session = join(directory, 'session');
    const captured = await captureProgram(session, ['ort-create-forms.cjs', model, garbage]);
    expect(captured.code).toBe(0);

    const calls = creates(session);
    expect(calls.map(({ status }) => status)).toEqual([
      ...Array(6).fill('completed'),
      ...Array(6).fill('failed'),
    ]);
    const identity = { size: bytes.length, sha256: sha256(bytes), external: [] };
    for (const at of [0, 1]) {
      const recorded = calls[at]?.record.input_metadata['arg_0'];
      expect(recorded).toEqual({ type: 'onnxruntime.model', path: model, resolved: model, ...identity });
    }
    const layouts = calls.slice(2, 7).map(({ fir }) => fir.tensors['arg_0']);
    expect(layouts.map((layout) => layout?.host)).toEqual([
      'Buffer',
      'Buffer',
      'ArrayBuffer',
      'ArrayBuffer',
      'SharedArrayBuffer',
    ]);
    expect(layouts.map((layout) => layout?.shape)).toEqual([
      [bytes.length],
      [bytes.length],
      [bytes.length + 64],
      [bytes.length + 64],
      [bytes.length],
    ]);
    expect(layouts[1]).toMatchObject({ offset: 24, storageBytes: bytes.length + 100 });
    // Of the model's bytes, of those with room around them, and of three bytes that are no model.
    const blobs = readdirSync(join(session, 'blobs'));
    expect(blobs).toHaveLength(3);
    for (const blob of blobs) expect(sha256(readFileSync(join(session, 'blobs', blob)))).toBe(blob);
    for (const at of [0, 1, 4]) expect(layouts[at]?.data).toEqual({ sha256: sha256(bytes) });

    const replayed = await replayJson(session);
    expect(replayed.code).toBe(0);
    expect(replayed.summary).toMatchObject({ ran: 6, pass: 12, reproduced: 6 });
  });

  it('by a relative path fails the same way from another directory', async () => {
    const directory = temporaryDirectory();
    const models = join(directory, 'models');
    mkdirSync(models);
    writeFileSync(join(models, 'model.onnx'), identityModel('float32'));
    writeFileSync(join(models, 'garbage.onnx'), 'no model');
    const session = join(directory, 'session');
    await captureProgram(session, ['ort-create-forms.cjs', 'model.onnx', 'garbage.onnx'], { cwd: models });
    const [byPath] = creates(session);
    const recorded = byPath?.record.input_metadata['arg_0'];
    expect(recorded).toMatchObject({ path: 'model.onnx', resolved: join(models, 'model.onnx') });
    const replayed = await replayJson(session);
    expect(replayed.summary).toMatchObject({ ran: 6, pass: 12, reproduced: 6 });
  });
});

describe('a model with a side file', () => {
  it('is recorded with it, and replayed', async () => {
    const { models, session } = await captureExternalData();
    const side = readFileSync(join(models, 'add.bin'));
    const [byPath, byBytes] = creates(session);
    expect(byPath?.record.input_metadata['arg_0']).toMatchObject({
      sha256: sha256(readFileSync(join(models, 'add.onnx'))),
      external: [{ location: 'add.bin', size: side.length, sha256: sha256(side) }],
    });
    const dataKey = Object.keys(byBytes?.fir.tensors ?? {}).find((key) => key !== 'arg_0') ?? '';
    expect(byBytes?.fir.tensors[dataKey]?.data).toEqual({ sha256: sha256(side) });
    expect((await replayJson(session)).verdicts).toEqual(['1 ran', '2 ran', '3 pass', '4 pass']);
  });

  it('that was moved is missing until --map-path says where it is', async () => {
    const { models, session } = await captureExternalData();
    const moved = `${models}-elsewhere`;
    renameSync(models, moved);
    const lost = await replayJson(session);
    expect(lost.code).toBe(1);
    expect(lost.verdicts).toEqual(['1 error', '2 ran', '3 skipped', '4 pass']);
    expect(lost.calls[0]?.reason).toMatch(/the recorded model can't be read.*--map-path/);
    const found = await replayJson(session, ['--map-path', `${models}=${moved}`]);
    expect([found.code, found.verdicts]).toEqual([0, ['1 ran', '2 ran', '3 pass', '4 pass']]);
  });

  it.each([
    ['add.bin', "model's side file"],
    ['add.onnx', 'model'],
  ])('of which a byte of %s changed is not compared', async (name, what) => {
    const { models, session } = await captureExternalData();
    changeLastByte(join(models, name));
    const { code, verdicts, calls } = await replayJson(session);
    expect([code, verdicts]).toEqual([1, ['1 error', '2 ran', '3 skipped', '4 pass']]);
    expect(calls[0]?.reason).toMatch(new RegExp(`^${what} differs from the recorded one`));
    expect(calls[0]?.outputs).toEqual([]);
  });

  it('given as bytes needs none of its files', async () => {
    const { models, session } = await captureExternalData();
    rmSync(models, { recursive: true });
    const { verdicts } = await replayJson(session, ['--call', '2,4']);
    expect(verdicts).toEqual(['2 ran', '4 pass']);
  });
});

describe('a session elsewhere', () => {
  it('replays with another version of the runtime, and says so', async () => {
    const { session } = await captureExternalData();
    const other = `${session}-of-another-version`;
    cpSync(session, other, { recursive: true });
    for (const name of readdirSync(other, { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.jsonl')) continue;
      const text = readFileSync(join(other, name), 'utf8');
      writeFileSync(
        join(other, name),
        text.replaceAll(/("package":"onnxruntime-node","version":")[^"]+/g, '$11.17.0'),
      );
    }
    const { code, stdout, stderr } = await runFir(['replay', other]);
    expect(code).toBe(0);
    expect(stdout + stderr).toMatch(/onnxruntime(-node)? is 1\.\d+\.\d+ here, 1\.17\.0 when it was recorded/);
  });
});
