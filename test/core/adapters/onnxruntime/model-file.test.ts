import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { identifyModel, locateModel } from '../../../../src/core/adapters/onnxruntime/model-file.js';
import type { JsonObject } from '../../../../src/core/model/json.js';
import { addModel } from '../../../support/onnx-model.js';
import { makeTempDir } from '../../../support/temp-dir.js';

const WEIGHTS = Float32Array.of(10, 20);
const same = (path: string): string => path;

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** A model with its weights in a side file, in a directory of its own. */
function writeModel(): { dir: string; path: string; model: Buffer; side: Buffer } {
  const dir = join(makeTempDir(), 'models');
  mkdirSync(dir);
  const path = join(dir, 'add.onnx');
  const model = addModel(2, { location: 'add.bin' });
  const side = Buffer.from(WEIGHTS.buffer);
  writeFileSync(path, model);
  writeFileSync(join(dir, 'add.bin'), side);
  return { dir, path, model, side };
}

function codeOf(work: () => unknown): string {
  try {
    work();
    return 'none';
  } catch (error) {
    return (error as { code: string }).code;
  }
}

describe('a model given by path', () => {
  it('is recorded with size and hash, of its side files too', () => {
    const { path, model, side } = writeModel();
    expect(identifyModel(path)).toEqual({
      type: 'onnxruntime.model',
      path,
      resolved: path,
      size: model.length,
      sha256: sha256(model),
      external: [{ location: 'add.bin', size: side.length, sha256: sha256(side) }],
    });
  });

  it('is hashed again when it was written again, in the same size and the same tick', () => {
    const { dir, path, side } = writeModel();
    const before = identifyModel(path);
    const changed = Buffer.from(side);
    changed[0] = 1;
    writeFileSync(join(dir, 'add.bin'), changed);
    expect(identifyModel(path)['external']).not.toEqual(before['external']);
  });

  it('is hashed again when it is old and another file took its name', () => {
    const { dir, path } = writeModel();
    const old = new Date('2020-01-01');
    utimesSync(path, old, old);
    const first = identifyModel(path);
    writeFileSync(join(dir, 'other.onnx'), addModel(2, { location: 'bdd.bin' }));
    utimesSync(join(dir, 'other.onnx'), old, old);
    renameSync(join(dir, 'other.onnx'), path);
    expect(identifyModel(path)['sha256']).not.toBe(first['sha256']);
  });

  it.each([
    ['that is missing', (dir: string) => join(dir, 'nowhere.onnx')],
    ['that is a directory', (dir: string) => dir],
    ['that is a device without an end', () => '/dev/zero'],
    ['with a NUL in its name', (dir: string) => join(dir, 'a\0b')],
  ])('%s is recorded without content', (_what, pathIn) => {
    const path = pathIn(makeTempDir());
    expect(identifyModel(path)).toMatchObject({ path, size: null, sha256: null, external: [] });
  });

  it('that is a pipe is left to the program', () => {
    const path = join(makeTempDir(), 'pipe');
    execFileSync('mkfifo', [path]);
    expect(identifyModel(path)).toMatchObject({ size: null, sha256: null });
  });

  it('whose side file is missing is recorded as such', () => {
    const { dir, path } = writeModel();
    rmSync(join(dir, 'add.bin'));
    expect(identifyModel(path)['external']).toEqual([{ location: 'add.bin', size: null, sha256: null }]);
  });
});

describe('a recorded model', () => {
  it('is found where it was, and where it was moved to', () => {
    const { dir, path } = writeModel();
    const node = identifyModel(path);
    expect(locateModel(node, same).path).toBe(path);
    renameSync(dir, `${dir}-moved`);
    expect(() => locateModel(node, same)).toThrow(
      expect.objectContaining({
        code: 'MODEL_MISSING',
        message: "the recorded model can't be read: ENOENT",
        hint: expect.stringContaining('--map-path'),
        where: path,
      }),
    );
    const moved = (old: string): string => old.replace(dir, `${dir}-moved`);
    expect(locateModel(node, moved).path).toBe(moved(path));
  });

  it.each(['add.onnx', 'add.bin'])('is refused once a byte of %s has changed', (name) => {
    const { dir, path, model, side } = writeModel();
    const node = identifyModel(path);
    const bytes = Buffer.from(name === 'add.onnx' ? model : side);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    writeFileSync(join(dir, name), bytes);
    expect(codeOf(() => locateModel(node, same))).toBe('MODEL_CHANGED');
    const what = name === 'add.onnx' ? 'model' : "model's side file";
    expect(() => locateModel(node, same)).toThrow(new RegExp(`^${what} differs from the recorded one`));
  });

  it('of another size is refused unread', () => {
    const { path, model } = writeModel();
    const node = identifyModel(path);
    writeFileSync(path, Buffer.concat([model, Buffer.alloc(1)]));
    expect(() => locateModel(node, same)).toThrow(
      `it has ${model.length + 1} bytes, recorded ${model.length}`,
    );
  });

  it('that could not be read then must not be there now', () => {
    const dir = makeTempDir();
    const path = join(dir, 'late.onnx');
    const node = identifyModel(path);
    expect(locateModel(node, same).path).toBe(path);
    writeFileSync(path, addModel(2, WEIGHTS));
    expect(codeOf(() => locateModel(node, same))).toBe('MODEL_CHANGED');
  });

  it('keeps the relative path that the program gave, where that is the same file', () => {
    const { path } = writeModel();
    const node: JsonObject = { ...identifyModel(path), path: join('.', 'elsewhere.onnx') };
    expect(locateModel(node, same).path).toBe(path);
  });

  it('tells errors of the runtime by the recorded path', () => {
    const { dir, path } = writeModel();
    const node = identifyModel(path);
    renameSync(dir, `${dir}-moved`);
    const model = locateModel(node, (old) => old.replace(dir, `${dir}-moved`));
    const error = new Error(`Load model from ${model.path} failed: "${dir}-moved/add.bin" is bad`);
    expect((model.withRecordedPath(error) as Error).message).toBe(
      `Load model from ${path} failed: "${dir}/add.bin" is bad`,
    );
    expect(model.withRecordedPath('not an error')).toBe('not an error');
  });

  it.each([
    ['a side file above it', { external: [{ location: '../secret', size: 1, sha256: 'x' }] }, 'UNSAFE_PATH'],
    [
      'a side file behind a detour',
      { external: [{ location: 'a/../../b', size: 1, sha256: 'x' }] },
      'UNSAFE_PATH',
    ],
    [
      'a side file by an absolute path',
      { external: [{ location: '/etc/passwd', size: 1, sha256: 'x' }] },
      'UNSAFE_PATH',
    ],
    ['no hash', { sha256: undefined }, 'VALUE_INVALID'],
    ['a hash that is a number', { sha256: 1 }, 'VALUE_INVALID'],
    ['no size', { size: null }, 'VALUE_INVALID'],
    ['no path', { path: 1 }, 'VALUE_INVALID'],
    ['no list of side files', { external: undefined }, 'VALUE_INVALID'],
    ['a side file that is a list', { external: [[]] }, 'VALUE_INVALID'],
    ['a side file without a location', { external: [{ size: 1, sha256: 'x' }] }, 'VALUE_INVALID'],
    ['an address', { path: 'https://example.com/model.onnx' }, 'NOT_REPLAYABLE'],
  ])('that names %s is refused', (_what, damage, code) => {
    const { path } = writeModel();
    const node = { ...identifyModel(path), ...damage } as JsonObject;
    expect(codeOf(() => locateModel(node, same))).toBe(code);
  });
});
