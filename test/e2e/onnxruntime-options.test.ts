import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parseJson, stringifyJson } from '../../src/core/json/index.js';
import type { CallRecord } from '../../src/core/model/call.js';
import type { JsonObject, JsonValue } from '../../src/core/model/json.js';
import { temporaryDirectory } from '../support/fir.js';
import { addModel } from '../support/onnx-model.js';
import { type ReplayDocument, replayJson } from '../support/replay-json.js';
import { captureProgram } from './captured.js';

const recording = mkdtempSync(join(tmpdir(), 'fir-test-'));
let recorded: Promise<void> | undefined;
afterAll(() => rmSync(recording, { recursive: true, force: true }));

/** A session whose runtime was told to write into a directory, recorded once for all tests. */
async function captureOptions(): Promise<void> {
  const model = join(recording, 'model.onnx');
  writeFileSync(model, addModel(2, Float32Array.of(10, 20)));
  const written = join(recording, 'written');
  mkdirSync(written);
  const captured = await captureProgram(join(recording, 'session'), ['ort-options.cjs', model, written]);
  expect([captured.code, captured.stdout]).toEqual([0, 'Float32Array(2) [ 11, 22 ]\n']);
  const names = readdirSync(written).sort();
  expect(names).toEqual([expect.stringMatching(/^optimized/), expect.stringMatching(/^profile/)]);
}

/** A copy of the session that would write into `written`, which is empty. */
async function sessionWithOptions(): Promise<{ session: string; written: string }> {
  recorded ??= captureOptions();
  await recorded;
  const directory = temporaryDirectory();
  const session = join(directory, 'session');
  const written = join(directory, 'written');
  mkdirSync(written);
  cpSync(join(recording, 'session'), session, { recursive: true });
  editRecords(session, (text) => text.replaceAll(join(recording, 'written'), written));
  return { session, written };
}

/** Rewrites every record of a session, as somebody may who gives it away. */
function editRecords(session: string, edit: (text: string) => string): void {
  for (const name of readdirSync(session, { recursive: true, encoding: 'utf8' })) {
    const path = join(session, name);
    if (name.endsWith('.jsonl')) writeFileSync(path, edit(readFileSync(path, 'utf8')));
  }
}

/** Changes the session's `create` call. */
function changeCreate(session: string, change: (record: CallRecord) => void): void {
  editRecords(session, (text) =>
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const record = parseJson(line) as unknown as CallRecord;
        if (record.function_name === 'InferenceSession.create') change(record);
        return `${stringifyJson(record as unknown as JsonValue)}\n`;
      })
      .join(''),
  );
}

async function replayCreate(session: string, change: (record: CallRecord) => void): Promise<ReplayDocument> {
  changeCreate(session, change);
  return replayJson(session);
}

describe('options of a recorded session', () => {
  it('that write files are not passed on, and are named', async () => {
    const { session, written } = await sessionWithOptions();
    const { code, verdicts, calls } = await replayJson(session);
    expect([code, verdicts]).toEqual([0, ['1 ran', '2 pass']]);
    expect(calls[0]?.notes).toEqual(
      ['optimizedModelFilePath', 'enableProfiling', 'profileFilePrefix', 'extra'].map(
        (name) => `session option ${name} was not passed on`,
      ),
    );
    expect(readdirSync(written)).toEqual([]);
  });

  it.each<[string, (options: JsonObject) => JsonValue]>([
    ['an object without a prototype', (options) => ({ ...options, js: 'null_prototype' })],
    [
      'a list with properties',
      ({ items }) => ({ type: 'list', length: 0, items: [], properties: items ?? [] }),
    ],
    ['a date with properties', ({ items }) => ({ type: 'js.date', value: 0, properties: items ?? [] })],
    [
      'an error with properties',
      ({ items }) => ({ type: 'js.error', name: 'Error', message: '', properties: items ?? [] }),
    ],
  ])('do not get through in %s', async (_what, disguise) => {
    const { session, written } = await sessionWithOptions();
    await replayCreate(session, ({ input_metadata: metadata }) => {
      metadata['arg_1'] = disguise(metadata['arg_1'] as JsonObject);
    });
    expect(readdirSync(written)).toEqual([]);
  });
});

describe('a session that somebody changed', () => {
  it.each<[string, (model: JsonObject) => JsonValue, string, RegExp]>([
    [
      'a side file above the model',
      (model) => ({ ...model, external: [{ location: '../secret', size: 1, sha256: 'x' }] }),
      'error',
      /names a side file outside its directory: \.\.\/secret/,
    ],
    ['a model without its hash', ({ sha256: _, ...model }) => model, 'error', /no valid size and sha256/],
    [
      'a model that could not be read, and can be',
      (model) => ({ ...model, size: null, sha256: null }),
      'error',
      /model differs from the recorded one/,
    ],
    ['a model as a mere path', (model) => model['path'] ?? null, 'skipped', /a path without its content/],
    [
      'a model at an address',
      (model) => ({ ...model, path: 'http://127.0.0.1:9/x' }),
      'skipped',
      /not loaded from a file/,
    ],
  ])('and names %s loads nothing', async (_what, disguise, verdict, reason) => {
    const { session } = await sessionWithOptions();
    const { code, calls } = await replayCreate(session, ({ input_metadata: metadata }) => {
      metadata['arg_0'] = disguise(metadata['arg_0'] as JsonObject);
    });
    expect(code).not.toBe(0);
    expect(calls.map((call) => call.verdict)).toEqual([verdict, 'skipped']);
    expect(calls[0]?.reason).toMatch(reason);
  });

  it('and names another package runs none of it', async () => {
    const { session } = await sessionWithOptions();
    const { calls } = await replayCreate(session, ({ fir }) => {
      if (fir !== undefined)
        fir.resolve = { kind: 'adapter', adapter: 'onnxruntime', package: 'child_process' };
    });
    expect(calls[0]?.verdict).toBe('skipped');
    expect(calls[0]?.reason).toMatch(/no package of adapter/);
  });

  it('and names another method runs none of it', async () => {
    const { session } = await sessionWithOptions();
    editRecords(session, (text) =>
      text.replaceAll('"InferenceSession.run"', '"InferenceSession.endProfiling"'),
    );
    const { calls } = await replayJson(session);
    expect(calls[1]?.verdict).toBe('skipped');
    expect(calls[1]?.reason).toMatch(/InferenceSession\.endProfiling is not a call/);
  });
});
