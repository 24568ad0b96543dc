import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { isRedactedCall, openSession } from '../../src/core/session/index.js';
import { firBin, nodeUnderTest, repository, runFir, temporaryDirectory } from '../support/fir.js';
import { fixturePath } from '../support/flashinfer-fixtures.js';
import { onnxModel } from '../support/onnx-model.js';
import { pythonWithTorch } from '../support/python.js';
import { replayJson } from '../support/replay-json.js';
import { expectValid } from '../support/schema.js';
import {
  type CapturedSession,
  callNamed,
  captureProgram,
  program,
  readCaptured,
  sharedDirectory,
} from './captured.js';

const SECRET = 'sk-TEST';
/** Values of the program's tensors, none of which is an extreme of its tensor. */
const NUMBERS = [7.7777777, 0.125];
const ENV = { API_KEY: 'sk-TEST-123', TZ: 'sk-TEST-zone', TITLE: 'sk-TEST-env' };

interface Found {
  path: string;
  mode: number;
  content: Buffer;
}

/** Everything below a directory as it is right now: what vanishes meanwhile is not there. */
function everything(directory: string): Found[] {
  if (!existsSync(directory)) return [];
  const found: Found[] = [
    { path: directory, mode: statSync(directory).mode & 0o777, content: Buffer.alloc(0) },
  ];
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    try {
      const content = entry.isFile() ? readFileSync(path) : Buffer.alloc(0);
      found.push({ path, mode: statSync(path).mode & 0o777, content });
    } catch {
      // It was renamed or removed.
    }
  }
  return found;
}

function expectNoSecrets(directory: string): void {
  for (const { path, content } of everything(directory)) {
    expect(path).not.toContain(SECRET);
    for (const secret of [SECRET, ...NUMBERS.map(bytesOf), '7.77777']) {
      expect(content.includes(secret), `${secret} in ${path}`).toBe(false);
    }
    expect(content.includes(Buffer.from(SECRET, 'utf16le')), `${SECRET} as UTF-16 in ${path}`).toBe(false);
  }
}

function bytesOf(value: number): Buffer {
  return Buffer.from(Float32Array.of(value).buffer);
}

/** Of a record but what differs from run to run. */
function comparable(session: CapturedSession): unknown[] {
  return session.calls.map(({ name, status, record, fir }) => {
    const { process_uid: _, started_at: __, duration_us: ___, ...rest } = fir;
    const { input_metadata, output_metadata, function_signature, tensor_info } = record;
    const text = JSON.stringify(
      { name, status, rest, input_metadata, output_metadata, function_signature, tensor_info },
      (key, value) =>
        typeof value === 'bigint' ? `${value}n` : key === 'hash' || key === 'offset' ? '' : value,
    );
    return JSON.parse(text);
  });
}

describe('capture --redact', () => {
  const directory = join(sharedDirectory(), 'session');
  let stderr: string;
  let session: CapturedSession;

  beforeAll(async () => {
    const flags = ['--redact'];
    const run = await captureProgram(directory, ['secret-calls.mjs', 'sk-TEST-argument'], {
      flags,
      env: ENV,
    });
    stderr = run.stderr;
    expect(run.code).toBe(0);
    session = readCaptured(directory);
  });

  it('leaves no secret in any file, and files that others can not read', () => {
    expectNoSecrets(directory);
    for (const { path, mode, content } of everything(directory)) {
      expect([path, mode]).toEqual([path, content.length > 0 ? 0o600 : 0o700]);
    }
  });

  it('writes no tensor file, and no path of the machine', () => {
    for (const { path, content } of everything(directory)) {
      expect(path).not.toMatch(/\.(?:safetensors|pt|tmp)$|blobs/);
      expect(content.includes(repository), path).toBe(false);
    }
  });

  it('says what it does, and not that values are written', () => {
    expect(stderr).toContain('without their values and texts');
    expect(stderr).not.toContain('the values of recorded arguments');
  });

  it('keeps what was masked in its place, and says what it was', () => {
    const [ask] = session.calls.filter(({ name }) => name === 'ask');
    expect(ask?.record.input_metadata['arg_0']).toMatchObject({
      items: [
        { key: 'apiKey', value: { type: 'fir.redacted', of: 'string', length: 11 } },
        { key: 'prompt', value: { type: 'fir.redacted', of: 'string', length: 18 } },
        { key: 'temperature', value: 0.7 },
        { key: 'deep' },
      ],
    });
    expect(ask?.fir.tensors['arg_1']).toMatchObject({ shape: [4], dtype: 'float32', stride: [1] });
    expect(ask?.fir.tensors['arg_1']?.stats).toMatchObject({ max: Math.fround(1234.5678), nan: 0, zeros: 0 });
  });

  it('gives equal texts of a session equal hashes, and those of another session others', async () => {
    const hashes = (found: CapturedSession) =>
      found.calls
        .filter(({ name }) => name === 'ask')
        .map(({ record }) => /"hash":"(\w+)"/.exec(JSON.stringify(record.input_metadata))?.[1]);
    const [first, second] = hashes(session);
    expect(first).toMatch(/^[0-9a-f]{32}$/);
    expect(second).toBe(first);
    const other = join(temporaryDirectory(), 'session');
    await captureProgram(other, ['secret-calls.mjs'], { flags: ['--redact'] });
    expect(hashes(readCaptured(other))[0]).not.toBe(first);
  });

  it('sees what a call changes in place, though nothing of it is written', () => {
    expect(callNamed(session, 'fill').fir).toMatchObject({
      mutated_tensor_keys: ['arg_0'],
      mutated_stats: { arg_0: { min: Math.fround(1234.5678), max: Math.fround(1234.5678) } },
      mutated_arguments: { arg_1: { items: [{ type: 'fir.redacted' }, { type: 'fir.redacted' }] } },
    });
    const large = session.calls.filter(({ name }) => name === 'touchLast');
    expect(large.map(({ fir }) => fir.mutated_tensor_keys)).toEqual([['arg_0'], []]);
  });

  it('counts the elements of an expanded tensor without the memory that they would take', () => {
    expect(callNamed(session, 'wide').fir.tensors['arg_0']).toMatchObject({
      shape: [2 ** 33, 2],
      stats: { min: 0, max: 5, mean: 2.5, zeros: 2 ** 33 },
    });
  });

  it('keeps of the environment and of the command line what no secret is in', () => {
    expect(session.processes).toHaveLength(1);
    const [header] = session.processes;
    expect(header?.argv).toEqual(['node', 'test/fixtures/programs/secret-calls.mjs', '[redacted]']);
    expect(header?.env['TZ']).toBe('[redacted]');
    expect(header?.cwd).toBe('.');
    expect(header?.versions).toHaveProperty('node', expect.any(String));
  });

  it('replays on random inputs: nothing passes, nothing differs', async () => {
    const { calls, summary, code } = await replayJson(directory, ['--app', '.']);
    expect(new Set(calls.map(({ verdict }) => verdict))).toEqual(new Set(['unchecked', 'ran', 'skipped']));
    expect(summary).toMatchObject({ pass: 0, mismatch: 0, error: 0, outputsCompared: 0 });
    expect(code).toBe(3);
    const look = calls.find(({ function: name }) => name === 'look');
    expect(look).toMatchObject({
      verdict: 'unchecked',
      reason: 'inputs were redacted',
      durationUs: expect.any(Number),
    });
    expect(calls.find(({ function: name }) => name === 'Vault.__init__')?.verdict).toBe('ran');
    expect(calls.find(({ function: name }) => name === 'withCallback')).toMatchObject({
      verdict: 'skipped',
      reason: 'not replayable: arg_0[…] is a function',
    });
  });

  it('replays to an error where the code fails, and says that its inputs were random', async () => {
    const broken = join(temporaryDirectory(), 'broken.mjs');
    writeFileSync(broken, 'export function look() { throw new RangeError("broken"); }');
    const flags = ['--app', '.', '--include', 'look', '--target', `look=${broken}#look`];
    const { calls, code } = await replayJson(directory, flags);
    expect(calls[0]).toMatchObject({
      verdict: 'error',
      error: { name: 'RangeError', message: 'broken' },
      notes: [expect.stringContaining('random inputs')],
    });
    expect(code).toBe(1);
  });

  it('replays a crash as a crash', async () => {
    const broken = join(temporaryDirectory(), 'broken.mjs');
    writeFileSync(broken, 'export function look() { process.kill(process.pid, "SIGKILL"); for (;;); }');
    const flags = ['--app', '.', '--include', 'look', '--target', `look=${broken}#look`];
    const { calls, code } = await replayJson(directory, flags);
    expect(calls[0]).toMatchObject({ verdict: 'crashed', notes: [expect.stringContaining('random inputs')] });
    expect(code).toBe(1);
  });

  it('gives the same inputs for the same seed, others for another', async () => {
    const shown = join(temporaryDirectory(), 'show.mjs');
    writeFileSync(
      shown,
      'export const look = (table, at) => { console.log([...table].join(), [...at].join()); };',
    );
    const run = async (seed: string) => {
      const flags = ['--include', 'look', '--target', `look=${shown}#look`, '--debug', '--seed', seed];
      return (await replayJson(directory, flags)).calls[0]?.stdout;
    };
    const [first, again, other] = [await run('1'), await run('1'), await run('2')];
    expect(first).toMatch(/^[-\d.e,]+ [0-3],[0-3],[0-3]\n$/);
    expect(again).toBe(first);
    expect(other).not.toBe(first);
  });

  it('is shown as redacted, with the statistics that were kept', async () => {
    const number = session.calls.findIndex(({ name }) => name === 'look') + 1;
    const flags = ['--call', String(number), '--stats', '--hash'];
    const { stdout } = await runFir(['inspect', directory, ...flags]);
    expect(stdout).toMatch(/arg_1 int64\[3\] {2}24 B\n\s+redacted\n\s+min 0 {2}max 3/);
    const { stdout: json } = await runFir(['inspect', directory, ...flags, '--json']);
    expectValid(JSON.parse(json));
    expect(JSON.parse(json).calls[0]).toMatchObject({
      redacted: true,
      replayable: true,
      inputs: [{ redacted: true }, { redacted: true, stats: { min: 0, max: 3, zeros: 1 } }],
    });
    expect(json).not.toContain('sha256');
  });

  it('leaves the same as a filter of what was recorded with its values', async () => {
    const root = temporaryDirectory();
    const [plain, filtered] = [join(root, 'plain'), join(root, 'filtered')];
    await captureProgram(plain, ['secret-calls.mjs', 'sk-TEST-argument'], { env: ENV });
    expect(() => expectNoSecrets(plain)).toThrow();
    const run = await runFir(['filter', plain, '-o', filtered, '--redact']);
    expect([run.code, run.stderr]).toEqual([0, expect.any(String)]);
    expectNoSecrets(filtered);
    expect(comparable(readCaptured(filtered))).toEqual(comparable(session));
  });
});

describe('a capture that is killed', () => {
  it('has no secret in any file at any moment', async () => {
    for (const [index, wait] of [0, 15, 40, 90, 160, 260].entries()) {
      const directory = join(temporaryDirectory(), `session${index}`);
      const args = ['capture', '-q', '--redact', '--max-count', '100000', '-o', directory, '--'];
      const child = spawn(
        nodeUnderTest,
        [firBin, ...args, nodeUnderTest, program('secret-calls.mjs'), 'loop', 'sk-TEST-argument'],
        { cwd: repository, env: { ...process.env, ...ENV }, stdio: 'ignore', detached: true },
      );
      while (!existsSync(join(directory, 'session.jsonl')) && child.exitCode === null) await delay(2);
      const end = Date.now() + wait;
      do {
        expectNoSecrets(directory);
        await delay(1);
      } while (Date.now() < end);
      process.kill(-(child.pid ?? 0), 'SIGKILL');
      await once(child, 'exit');
      expectNoSecrets(directory);
      const session = openSession(directory);
      expect(session.calls.length).toBeGreaterThan(0);
      for (const call of session.calls) {
        if (call.status !== 'no_record') expect(isRedactedCall(session.readRecord(call))).toBe(true);
      }
    }
  });
});

it('a log of calls shows no content with --redact', async () => {
  const root = temporaryDirectory();
  for (const level of ['3', '5']) {
    const log = join(root, `calls-${level}.log`);
    const flags = ['--redact', '--level', level, '--log-dest', log];
    const { code } = await captureProgram(join(root, 'none'), ['secret-calls.mjs'], { flags });
    expect(code).toBe(0);
    const text = readFileSync(log, 'utf8');
    expect(text).not.toContain(SECRET);
    expect(text).toContain('fir.redacted');
    expect(text).toContain('"threw":"TypeError"');
  }
});

describe('a session of onnxruntime-node', () => {
  it('keeps the model by name and hash, and runs it again where it is found', async () => {
    const app = temporaryDirectory();
    cpSync(program('ort-runs.cjs'), join(app, 'ort-runs.cjs'));
    mkdirSync(join(app, 'models'));
    writeFileSync(join(app, 'models', 'model.onnx'), twoOutputs());
    const session = join(app, 'session');
    const env = { NODE_PATH: join(repository, 'node_modules') };
    const flags = ['capture', '-q', '--redact', '-o', session, '--', nodeUnderTest, 'ort-runs.cjs'];
    const run = await runFir([...flags, join(app, 'models', 'model.onnx')], { cwd: app, env });
    expect(run.code).toBe(0);
    for (const { path, content } of everything(session)) expect(content.includes(app), path).toBe(false);
    const create = callNamed(readCaptured(session), 'InferenceSession.create');
    expect(create.record.input_metadata['arg_0']).toMatchObject({
      type: 'onnxruntime.model',
      path: 'models/model.onnx',
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    const { calls, summary } = await replayJson(session, ['--map-path', `models=${join(app, 'models')}`]);
    expect(calls[0]?.verdict).toBe('ran');
    expect(calls[1]).toMatchObject({
      function: 'InferenceSession.run',
      verdict: 'unchecked',
      reason: 'inputs were redacted',
    });
    expect(summary).toMatchObject({ pass: 0, mismatch: 0, crashed: 0, error: 0 });
  });

  it('says of a model that was given as bytes that it was redacted', async () => {
    const app = temporaryDirectory();
    const session = join(app, 'session');
    const code = [
      "const ort = require('onnxruntime-node');",
      "ort.InferenceSession.create(require('fs').readFileSync('model.onnx')).then((s) =>",
      "  s.run({ x: new ort.Tensor('float32', Float32Array.of(1, 2), [2]) }));",
    ];
    writeFileSync(join(app, 'model.onnx'), twoOutputs());
    writeFileSync(join(app, 'app.cjs'), code.join('\n'));
    const env = { NODE_PATH: join(repository, 'node_modules') };
    const run = await runFir(['capture', '-q', '--redact', '-o', session, '--', nodeUnderTest, 'app.cjs'], {
      cwd: app,
      env,
    });
    expect(run.code).toBe(0);
    expect(existsSync(join(session, 'blobs'))).toBe(false);
    const { calls } = await replayJson(session);
    expect(calls.map(({ verdict }) => verdict)).toEqual(['skipped', 'skipped']);
    expect(calls[0]?.reason).toMatch(/arg_0 was a model, which was redacted \(sha256 [0-9a-f]{64}\)/);
  });
});

describe('a session of FlashInfer', () => {
  it.each(['stateful_pt', 'nested_pt', 'stateless_pt', 'graph_flush'])(
    '%s is replayed on inputs of the recorded range after a filter',
    async (name) => {
      const out = join(temporaryDirectory(), 'out');
      expect((await runFir(['filter', fixturePath(name), '-o', out, '--redact'])).code).toBe(0);
      for (const { path } of everything(out)) expect(path).not.toMatch(/\.(?:pt|safetensors)$/);
      const modules = fixturePath('py');
      const { summary, calls } = await replayJson(out, [
        ...['--python', await pythonWithTorch(), '--pythonpath', modules, '--allow', 'fir_demo_kernels'],
      ]);
      expect(summary).toMatchObject({ pass: 0, mismatch: 0, crashed: 0, error: 0, outputsCompared: 0 });
      expect(calls.filter(({ verdict }) => verdict === 'unchecked').length).toBeGreaterThan(5);
    },
  );

  it('is not recorded by a capture with --redact: FlashInfer’s recorder can’t leave values out', async () => {
    const out = join(temporaryDirectory(), 'session');
    const python = await pythonWithTorch();
    const show = "import os; print(os.environ['FLASHINFER_LOGLEVEL'], 'FIR_REDACT_KEY' in os.environ)";
    const flags = ['capture', '--redact', '--level', '10', '-o', out, '--', python, '-c', show];
    const { stdout, stderr } = await runFir(flags, { env: { FLASHINFER_LOGLEVEL: '10' } });
    expect(stdout).toBe('0 True\n');
    expect(stderr).toContain('fir filter --redact');
  });
});

/** y = x + 10, z = x */
function twoOutputs(): Buffer {
  const floats = { type: 'float32' as const, shape: [2] };
  return onnxModel({
    inputs: [{ name: 'x', ...floats }],
    outputs: [
      { name: 'y', ...floats },
      { name: 'z', ...floats },
    ],
    nodes: [
      { op: 'Add', inputs: ['x', 'ten'], outputs: ['y'] },
      { op: 'Identity', inputs: ['x'], outputs: ['z'] },
    ],
    initializers: [{ name: 'ten', ...floats, data: Buffer.from(Float32Array.of(10, 10).buffer) }],
  });
}
