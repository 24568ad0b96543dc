import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { nodeUnderTest, repository, runFir, runProcess, temporaryDirectory } from '../support/fir.js';
import { identityModel } from '../support/onnx-model.js';
import { replayJson } from '../support/replay-json.js';
import { captureProgram, program, readCaptured, withoutFirLines } from './captured.js';

const REQUIRE_IN_ESM =
  "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";
const MODULES = join(repository, 'node_modules');

/** A directory with a model, and with an application's place beside it. */
function makePlace(): { model: string; session: string; app: string } {
  const directory = temporaryDirectory();
  const model = join(directory, 'model.onnx');
  writeFileSync(model, identityModel('float32'));
  const app = join(directory, 'app');
  mkdirSync(join(app, 'node_modules'), { recursive: true });
  return { model, session: join(directory, 'session'), app };
}

describe('a program that loads onnxruntime-node', () => {
  it.each([
    'ort-require.cjs',
    'ort-import-default.mjs',
    'ort-import-namespace.mjs',
    'ort-import-named.mjs',
    'ort-import-dynamic.mjs',
    'ort-after-common.cjs',
    'ort-among-modules.mjs',
  ])('is recorded, and sees the runtime as it is without: %s', async (name) => {
    const { model, session } = makePlace();
    const bare = await runProcess(nodeUnderTest, [program(name), model]);
    const captured = await captureProgram(session, [name, model]);
    expect(bare.code).toBe(0);
    expect([captured.code, captured.stdout, withoutFirLines(captured.stderr)]).toEqual([0, bare.stdout, '']);
    const { calls, processes } = readCaptured(session);
    expect(calls.map((call) => `${call.name} ${call.status}`)).toEqual([
      'InferenceSession.create completed',
      'InferenceSession.run completed',
      'InferenceSession.create completed',
      'InferenceSession.release completed',
    ]);
    for (const { fir, record } of calls) {
      expect(record.module).toBe('onnxruntime-node');
      expect(fir.resolve).toMatchObject({ kind: 'adapter', package: 'onnxruntime-node' });
    }
    expect(processes.map(({ hooked }) => hooked)).toEqual([[expect.stringMatching(/^onnxruntime-node@1\./)]]);
  });

  it('and makes tensors with its own copy of onnxruntime-common is recorded', async () => {
    const { model, session, app } = makePlace();
    symlinkSync(join(MODULES, 'onnxruntime-node'), join(app, 'node_modules', 'onnxruntime-node'));
    cpSync(join(MODULES, 'onnxruntime-common'), join(app, 'node_modules', 'onnxruntime-common'), {
      recursive: true,
    });
    const main = join(app, 'main.cjs');
    writeFileSync(
      main,
      `const ort = require('onnxruntime-node');
      const { Tensor } = require('onnxruntime-common');
      (async () => {
        const session = await ort.InferenceSession.create(process.argv[2]);
        const x = new Tensor('float32', Float32Array.of(1, 2), [2]);
        const { y } = await session.run({ x });
        console.log(Tensor === ort.Tensor, x instanceof ort.Tensor, y instanceof Tensor, y.data);
      })();`,
    );
    const bare = await runProcess(nodeUnderTest, [main, model]);
    expect(bare.stdout).toMatch(/^false false false Float32Array/);
    const captured = await runFir(['capture', '-o', session, '--', nodeUnderTest, main, model]);
    expect(captured.stdout).toBe(bare.stdout);
    const { calls } = readCaptured(session);
    expect(calls[1]?.inputs).toEqual({ arg_0__value_0: [1, 2] });
    expect((await replayJson(session)).verdicts).toEqual(['1 ran', '2 pass']);
  });

  it('from a directory that is named like the runtime is recorded', async () => {
    const { model, session, app } = makePlace();
    const place = join(app, 'onnxruntime-node', 'onnxruntime-web');
    mkdirSync(place, { recursive: true });
    symlinkSync(MODULES, join(place, 'node_modules'));
    for (const name of ['ort-require.cjs', 'ort-checks.cjs']) cpSync(program(name), join(place, name));
    const main = join(place, 'ort-require.cjs');
    await runFir(['capture', '-o', session, '--', nodeUnderTest, main, model]);
    expect(readCaptured(session).calls).toHaveLength(4);
  });

  it('through tsx is recorded', async () => {
    const { model, session } = makePlace();
    const command = [nodeUnderTest, '--import', 'tsx', program('ort-typescript.cts'), model];
    const captured = await runFir(['capture', '-o', session, '--', ...command]);
    expect(captured.stdout).toBe('Float32Array(2) [ 1, 2 ]\n');
    expect(readCaptured(session).calls).toHaveLength(2);
  });

  it('with require() of onnxruntime-web is recorded and replayed', async () => {
    const { model, session } = makePlace();
    const captured = await captureProgram(session, ['ort-web.cjs', model]);
    expect(captured.stdout).toBe('Float32Array(2) [ 1, 2 ]\n');
    const { calls } = readCaptured(session);
    expect(calls.map(({ record }) => record.module)).toEqual(Array(3).fill('onnxruntime-web'));
    expect((await replayJson(session)).verdicts).toEqual(['1 ran', '2 pass', '3 ran']);
  });
});

describe('a program in one file', () => {
  it('is recorded where the runtime stayed outside', async () => {
    const { model, session, app } = makePlace();
    symlinkSync(join(MODULES, 'onnxruntime-node'), join(app, 'node_modules', 'onnxruntime-node'));
    for (const format of ['cjs', 'esm'] as const) {
      const outfile = join(app, format === 'cjs' ? 'bundle.cjs' : 'bundle.mjs');
      const entryPoints = [program(format === 'cjs' ? 'ort-require.cjs' : 'ort-import-default.mjs')];
      await build({
        entryPoints,
        outfile,
        format,
        bundle: true,
        platform: 'node',
        external: ['onnxruntime-node'],
        banner: { js: format === 'cjs' ? '' : REQUIRE_IN_ESM },
      });
      const bare = await runProcess(nodeUnderTest, [outfile, model]);
      const directory = `${session}-${format}`;
      const captured = await runFir(['capture', '-o', directory, '--', nodeUnderTest, outfile, model]);
      expect(bare.code).toBe(0);
      expect([captured.code, captured.stdout]).toEqual([0, bare.stdout]);
      expect(readCaptured(directory).calls).toHaveLength(4);
    }
  });

  it('is not seen where the runtime is in that file too, and is told why', async () => {
    const { model, session, app } = makePlace();
    // An addon can't be put into a bundle: a runtime without one stands for it.
    const runtime = join(app, 'node_modules', 'onnxruntime-node');
    mkdirSync(runtime, { recursive: true });
    writeFileSync(
      join(runtime, 'package.json'),
      '{"name":"onnxruntime-node","version":"1.0.0","main":"index.js"}',
    );
    writeFileSync(
      join(runtime, 'index.js'),
      `exports.InferenceSession = class InferenceSession {
        static async create() { return new InferenceSession(); }
        async run() { return {}; }
      };`,
    );
    const entry = join(app, 'main.js');
    writeFileSync(
      entry,
      `const { InferenceSession } = require('onnxruntime-node');
      InferenceSession.create('x').then((session) => session.run({})).then(() => console.log('done'));`,
    );
    const outfile = join(app, 'bundle.cjs');
    await build({ entryPoints: [entry], outfile, bundle: true, platform: 'node' });
    const captured = await runFir(['capture', '-o', session, '--', nodeUnderTest, outfile, model]);
    expect([captured.code, captured.stdout]).toEqual([0, 'done\n']);
    expect(captured.stderr).toMatch(/nothing was recorded: .*bundled into the program/);
    const outside = await runFir(['capture', '-o', session, '--', nodeUnderTest, entry, model]);
    expect([outside.code, outside.stdout]).toEqual([0, 'done\n']);
    expect(readCaptured(session).calls).toHaveLength(2);
  });
});
