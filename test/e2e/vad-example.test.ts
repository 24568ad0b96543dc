import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nodeUnderTest, type ProcessResult, repository, runFir, runProcess } from '../support/fir.js';

const EXAMPLE = join(repository, 'examples', 'vad', 'vad.js');
const RUNS = 64;

interface ReplayDocument {
  calls: {
    call: number;
    function: string;
    verdict: string;
    outputs: { key: string; verdict: string; mismatched?: number }[];
    reason?: string;
  }[];
  summary: Record<string, number>;
}

describe('the voice-activity example', () => {
  let directory: string;
  let session: string;
  let model: string;
  let captured: ProcessResult;
  let bare: ProcessResult;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'fir-vad-'));
    session = join(directory, 'session');
    model = join(directory, 'model.onnx');
    const packageFile = createRequire(import.meta.url).resolve('@ricky0123/vad-web/package.json');
    cpSync(join(dirname(packageFile), 'dist', 'silero_vad_v5.onnx'), model);
    bare = await runProcess(nodeUnderTest, [EXAMPLE, model]);
    captured = await runFir(['capture', '-o', session, '--', nodeUnderTest, EXAMPLE, model]);
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  async function replay(
    path: string,
    ...flags: string[]
  ): Promise<{ result: ProcessResult; document: ReplayDocument }> {
    const result = await runFir(['replay', path, '--json', ...flags]);
    return { result, document: JSON.parse(result.stdout) as ReplayDocument };
  }

  /** A copy of the session in which one byte of an output of one call is another. */
  async function tampered(call: number): Promise<string> {
    const copy = join(directory, `tampered-${call}`);
    cpSync(session, copy, { recursive: true });
    const changed = await runProcess(nodeUnderTest, [
      join(repository, 'examples', 'tamper.js'),
      copy,
      String(call),
    ]);
    expect(changed.code).toBe(0);
    return copy;
  }

  it('is recorded without a change to what it prints', () => {
    expect(captured.code).toBe(0);
    expect(captured.stdout).toBe(bare.stdout);
    expect(captured.stderr).toContain('65 calls recorded (65 completed, 0 failed, 0 unfinished)');
  });

  it('is shown by inspect with every call', async () => {
    const result = await runFir(['inspect', session, '--json']);
    const document = JSON.parse(result.stdout) as {
      calls: { function: string; replayable: boolean; inputs: { dtype: string; shape: number[] }[] }[];
      summary: { calls: number };
    };
    expect(result.code).toBe(0);
    expect(document.summary.calls).toBe(RUNS + 1);
    expect(document.calls.filter((call) => call.function === 'InferenceSession.run')).toHaveLength(RUNS);
    expect(document.calls.every((call) => call.replayable)).toBe(true);
    expect(document.calls[1]?.inputs.map(({ dtype, shape }) => `${dtype}[${shape}]`)).toEqual([
      'float32[1,512]',
      'float32[2,1,128]',
      'int64[]',
    ]);
  });

  it('replays with every call passing', async () => {
    const { result, document } = await replay(session);
    expect(result.code).toBe(0);
    expect(document.summary).toMatchObject({
      calls: 65,
      pass: RUNS,
      ran: 1,
      mismatch: 0,
      outputsCompared: 128,
    });
  });

  it('ends with one line that carries the denominator', async () => {
    const result = await runFir(['replay', session]);
    expect(result.code).toBe(0);
    expect(result.stdout.trimEnd().split('\n').at(-1)).toBe(
      '64 passed, 1 ran, 0 mismatches, 0 skipped of 65 calls (128 outputs compared)',
    );
  });

  it('makes exactly the call whose recorded output was changed a mismatch', async () => {
    const { result, document } = await replay(await tampered(11));
    expect(result.code).toBe(1);
    const failing = document.calls.filter((call) => call.verdict === 'mismatch');
    expect(failing.map((call) => call.call)).toEqual([11]);
    expect(failing[0]?.outputs.filter(({ verdict }) => verdict === 'mismatch')).toMatchObject([
      { mismatched: 1 },
    ]);
    expect(document.summary).toMatchObject({ pass: RUNS - 1, mismatch: 1 });
  });

  it('says in words which output differs, where, and by how much', async () => {
    const result = await runFir(['replay', await tampered(12), '--call', '12']);
    expect(result.code).toBe(1);
    expect(result.stdout).toMatch(/result__value_\d float32\[[\d,]+\]: 1 of \d+ elements? differs?/);
    expect(result.stdout).toMatch(/max abs \S+ at \[[\d,]+\]: actual \S+, expected \S+/);
    expect(result.stdout).toContain('tolerance: rtol 1.3e-6, atol 1e-5 (preset default (float32))');
  });

  it('is an error where the model is gone, and passes where it is found again', async () => {
    const moved = join(directory, 'moved');
    mkdirSync(moved);
    cpSync(model, join(moved, 'model.onnx'));
    rmSync(model);
    try {
      const { result, document } = await replay(session);
      expect(result.code).toBe(1);
      expect(document.calls[0]).toMatchObject({ verdict: 'error' });
      expect(document.calls[0]?.reason).toContain('model');
      const found = await replay(session, '--map-path', `${directory}=${moved}`);
      expect(found.result.code).toBe(0);
    } finally {
      cpSync(join(moved, 'model.onnx'), model);
    }
  });

  it('is an error where the model changed', async () => {
    const original = readFileSync(model);
    writeFileSync(model, Buffer.concat([original, Buffer.of(0)]));
    try {
      const { result, document } = await replay(session);
      expect(result.code).toBe(1);
      expect(document.calls[0]?.reason).toContain('differs from the recorded');
    } finally {
      writeFileSync(model, original);
    }
  });

  it('replays from a directory that was moved and renamed', async () => {
    const copy = join(directory, 'renamed');
    cpSync(session, copy, { recursive: true });
    const { result } = await replay(copy, '--call', '1-5');
    expect(result.code).toBe(0);
  });

  it('finds the runtime from --app where the working directory has none', async () => {
    const app = join(directory, 'app');
    mkdirSync(app);
    symlinkSync(join(repository, 'node_modules'), join(app, 'node_modules'));
    const outside = await runFir(['replay', session, '--call', '1-2'], { cwd: directory });
    expect(outside.code).not.toBe(0);
    const inside = await runFir(['replay', session, '--call', '1-2', '--app', app], { cwd: directory });
    expect(inside.code).toBe(0);
    expect(existsSync(join(app, 'node_modules'))).toBe(true);
  });

  it('keeps usage errors and empty selections apart from failures', async () => {
    const empty = join(directory, 'empty');
    mkdirSync(empty);
    expect((await runFir(['replay', empty])).code).toBe(2);
    expect((await runFir(['replay', join(directory, 'missing')])).code).toBe(2);
    expect((await runFir(['replay', session, '--no-such-flag'])).code).toBe(2);
    expect((await runFir(['replay', session, '--include', 'nothing*'])).code).toBe(3);
    expect((await runFir(['replay', session, '--include', 'nothing*', '--allow-incomplete'])).code).toBe(3);
    expect((await runFir(['replay', session, '--device', 'cuda'])).code).toBe(2);
  });
});
