import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { nodeUnderTest, runProcess, temporaryDirectory } from '../support/fir.js';
import { addModel, onnxModel } from '../support/onnx-model.js';
import { replayJson } from '../support/replay-json.js';
import { type CapturedCall, captureProgram, program, readCaptured } from './captured.js';

const FLOATS = { type: 'float32' as const, shape: [2] };

/** y = x + 10, z = x */
function twoOutputs(): Buffer {
  return onnxModel({
    inputs: [{ name: 'x', ...FLOATS }],
    outputs: [
      { name: 'y', ...FLOATS },
      { name: 'z', ...FLOATS },
    ],
    nodes: [
      { op: 'Add', inputs: ['x', 'ten'], outputs: ['y'] },
      { op: 'Identity', inputs: ['x'], outputs: ['z'] },
    ],
    initializers: [{ name: 'ten', ...FLOATS, data: Buffer.from(Float32Array.of(10, 10).buffer) }],
  });
}

interface RecordedRuns {
  session: string;
  /** By what the program prints of them. */
  runs: ReadonlyMap<string, CapturedCall>;
}

const directory = mkdtempSync(join(tmpdir(), 'fir-test-'));
let recorded: Promise<RecordedRuns> | undefined;
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** The program's runs, recorded once for all tests. */
function recordedRuns(): Promise<RecordedRuns> {
  recorded ??= captureRuns();
  return recorded;
}

async function captureRuns(): Promise<RecordedRuns> {
  const model = join(directory, 'model.onnx');
  writeFileSync(model, twoOutputs());
  const bare = await runProcess(nodeUnderTest, [program('ort-runs.cjs'), model]);
  const session = join(directory, 'session');
  const captured = await captureProgram(session, ['ort-runs.cjs', model]);
  expect([captured.code, captured.stdout]).toEqual([0, bare.stdout]);
  const lines = captured.stdout.split('\n').filter((line) => line !== '');
  expect(NAMES.filter((name) => lines.some((line) => line.startsWith(`${name} `)))).toEqual(NAMES);
  const { calls } = readCaptured(session);
  expect(calls).toHaveLength(lines.length + 1);
  return { session, runs: new Map(NAMES.map((name, at) => [name, calls[at + 1] as CapturedCall])) };
}

const NAMES = [
  'feeds',
  'fetches by name',
  'options',
  'fetches and options',
  'preallocated',
  'preallocated with the answer',
  'in place',
  'overlapping',
  'missing feed',
  'feed of a wrong type',
  'missing feed, preallocated',
  'unknown fetch',
  'no feeds',
  'terminated',
  'no tensor',
  'release',
  'second release',
  'released',
];

/** What the tensors that a call wrote to held after it. */
function endStates(call: CapturedCall | undefined): Record<string, number[]> {
  const keys = call?.fir.mutated_tensor_keys ?? [];
  return Object.fromEntries(
    keys.map((key) => {
      const bytes = Uint8Array.from(call?.tensor('mutated', key).logicalBytes() ?? []);
      return [key, Array.from(new Float32Array(bytes.buffer))];
    }),
  );
}

describe('InferenceSession.run', () => {
  it('is recorded and replayed in every form, failures too', async () => {
    const { session, runs } = await recordedRuns();
    const failed = [...runs].filter(([, { status }]) => status === 'failed').map(([name]) => name);
    expect(failed).toEqual([
      'missing feed',
      'feed of a wrong type',
      'missing feed, preallocated',
      'unknown fetch',
      'no feeds',
      'second release',
      'released',
    ]);
    expect(runs.get('fetches by name')?.outputs).toEqual({ result__value_0: [1, 2] });
    expect(runs.get('feeds')?.outputs).toEqual({ result__value_0: [11, 12], result__value_1: [1, 2] });

    const { code, verdicts, summary, calls } = await replayJson(session);
    const told = calls.map(
      ({ call, verdict, reason }) => `${NAMES[call - 2] ?? 'create'}: ${verdict} ${reason ?? ''}`,
    );
    expect(told.filter((text) => !/: (pass|ran) $/.test(text))).toEqual([]);
    expect(code).toBe(0);
    expect(verdicts[NAMES.indexOf('release') + 1]).toMatch(/ran$/);
    expect(summary).toMatchObject({ ran: 2, pass: NAMES.length - 1, reproduced: failed.length });
  });

  it('has tensors that the results were written to, as they ended', async () => {
    const { runs } = await recordedRuns();
    const written = runs.get('preallocated');
    expect(written?.fir.roles).toMatchObject({ arg_0__value_0: 'in', arg_1__value_0: 'out' });
    expect(written?.fir.tensors['arg_1__value_0']?.data).toBeUndefined();
    expect(endStates(written)).toEqual({ arg_1__value_0: [11, 12] });
    expect(written?.fir.mutated_pending_keys).toBeUndefined();
    expect(endStates(runs.get('preallocated with the answer'))).toEqual({ arg_1__value_0: [11, 12] });
    const inPlace = runs.get('in place');
    expect(inPlace?.inputs['arg_0__value_0']).toEqual([5, 6]);
    expect(inPlace?.outputs['result__value_0']).toEqual([15, 16]);
    expect(endStates(inPlace)).toEqual({ arg_0__value_0: [15, 16] });
    expect(endStates(runs.get('missing feed, preallocated'))).toEqual({});
  });

  it('that writes to the wrong place, or nowhere, is a mismatch', async () => {
    const { session } = await recordedRuns();
    const calls = ['preallocated with the answer', 'in place', 'overlapping'].map(
      (name) => NAMES.indexOf(name) + 2,
    );
    const target = program('ort-lazy-session.mjs');
    const { verdicts } = await replayJson(session, [
      '--call',
      calls.join(','),
      '--target',
      `InferenceSession.run=${target}#run`,
    ]);
    expect(verdicts).toEqual(calls.map((call) => `${call} mismatch`));
  });

  it.each(['released', 'second release'])(
    'that fails because its session was released is reproduced alone: %s',
    async (name) => {
      const { session } = await recordedRuns();
      const call = String(NAMES.indexOf(name) + 2);
      expect((await replayJson(session, ['--call', call])).verdicts).toEqual([`${call} pass`]);
    },
  );
});

describe('sessions side by side', () => {
  it('are told apart, in turns and all at once', async () => {
    const place = temporaryDirectory();
    const models = [100, 200].map((value) => {
      const path = join(place, `${value}.onnx`);
      writeFileSync(path, addModel(2, Float32Array.of(value, value)));
      return path;
    });
    const session = join(place, 'session');
    const captured = await captureProgram(session, ['ort-overlapping.mjs', ...models]);
    expect(captured.code).toBe(0);
    const { calls } = readCaptured(session);
    const [first, second] = calls.filter(({ fir }) => fir.constructs === true);
    const runs = calls.filter(({ name }) => name === 'InferenceSession.run');
    expect(runs).toHaveLength(20);
    for (const { record, inputs, outputs } of runs) {
      const [x] = inputs['arg_0__value_0'] ?? [];
      const [y] = outputs['result__value_0'] ?? [];
      const own = record.self_id === first?.record.self_id ? 100 : 200;
      expect([first?.record.self_id, second?.record.self_id]).toContain(record.self_id);
      expect(y).toBe((x ?? 0) + own);
    }
    const { code, summary } = await replayJson(session);
    expect([code, summary.pass, summary.ran]).toEqual([0, 20, 2]);
  });
});
