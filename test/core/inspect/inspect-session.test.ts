import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { type InspectCall, type InspectOptions, inspectSession } from '../../../src/core/inspect/index.js';
import { stringifyJson } from '../../../src/core/json/index.js';
import type { JsonValue } from '../../../src/core/model/json.js';
import { parseCallRanges } from '../../../src/core/select/index.js';
import { openSession } from '../../../src/core/session/index.js';
import { FLASHINFER_SESSIONS, fixturePath } from '../../support/flashinfer-fixtures.js';
import { writeRecorded } from '../../support/recorded-session.js';
import {
  tensorOf,
  type WriteSessionOptions,
  type WrittenCall,
  writeSession,
} from '../../support/session-writer.js';
import { makeTempDir } from '../../support/temp-dir.js';

const schema = JSON.parse(
  readFileSync(new URL('../../../docs/schema/inspect.schema.json', import.meta.url), 'utf8'),
);
const validate = new Ajv2020({ allErrors: true, strictTypes: false }).compile(schema);

/** The whole document as `--json` would print it, which has to be strict JSON and fit the schema. */
function documentOf(path: string, options: InspectOptions = {}) {
  const { calls, summary, ...head } = inspectSession(openSession(path), options);
  const inspected = [...calls];
  const document = { ...head, calls: inspected, summary: summary() };
  validate(JSON.parse(stringifyJson(document as unknown as JsonValue)));
  expect(validate.errors ?? []).toEqual([]);
  return document;
}

function inspectCalls(
  calls: WrittenCall[],
  options: InspectOptions = {},
  how: WriteSessionOptions = {},
): InspectCall[] {
  const dir = makeTempDir();
  writeSession(dir, calls, how);
  return documentOf(dir, options).calls;
}

function inspectOne(
  call: Partial<WrittenCall>,
  options: InspectOptions = {},
  how: WriteSessionOptions = {},
): InspectCall {
  const [inspected] = inspectCalls([{ functionName: 'f', ...call }], options, how);
  if (inspected === undefined) throw new Error('no call');
  return inspected;
}

const resolve = { kind: 'module', root: '/app', module: 'kernels.js', export: 'f' } as const;
const RECORDED = { fir: { resolve } };
const input = tensorOf('float32', [1, -2, 3, 4], [2, 2]);

describe('an inspected call', () => {
  it('tells what was recorded of it', () => {
    const call = inspectOne({
      ...RECORDED,
      inputs: { arg_0: input },
      outputs: { result: tensorOf('int64', [5]) },
    });
    expect(call).toEqual({
      call: 1,
      dump: '20261124_143217_000_pid4242_f_call0001',
      function: 'f',
      module: 'kernels',
      pid: 4242,
      status: 'completed',
      startedAt: '2026-11-24T14:32:17.000000Z',
      durationUs: 1000,
      inputs: [
        {
          key: 'arg_0',
          dtype: 'float32',
          shape: [2, 2],
          stride: [2, 1],
          offset: 0,
          device: 'cpu',
          bytes: 16,
        },
      ],
      outputs: [
        { key: 'result', dtype: 'int64', shape: [1], stride: [1], offset: 0, device: 'cpu', bytes: 8 },
      ],
      mutated: [],
      replayable: true,
      reasons: [],
    });
  });

  it('names the keys that share a storage', () => {
    const shared = { ...input, storage: 7 };
    const { inputs, outputs, mutated } = inspectOne({
      inputs: { arg_0: shared, arg_1: { ...shared, offset: 1 }, arg_2: input },
      outputs: { result: { ...shared, data: { sameAs: 'arg_0' } } },
      mutated: { arg_0: shared },
    });
    expect(inputs.map((tensor) => tensor.sharedWith)).toEqual([
      ['arg_1', 'result'],
      ['arg_0', 'result'],
      undefined,
    ]);
    expect(outputs[0]?.sharedWith).toEqual(['arg_0', 'arg_1']);
    expect(mutated[0]?.sharedWith).toEqual(['arg_1', 'result']);
  });

  it('has the object that it belongs to', () => {
    const [made, used] = inspectCalls([
      { functionName: 'W', kind: 'constructor', selfId: 3, ...RECORDED },
      { functionName: 'W.run', selfId: 3, ...RECORDED },
    ]);
    expect([made?.selfId, made?.generation, used?.generation]).toEqual([3, 1, 1]);
    expect(used?.replayable).toBe(true);
    const big = inspectOne({ functionName: 'W.run', selfId: 2n ** 63n });
    expect(big.selfId).toBe(2n ** 63n);
  });

  it('has the error that it failed with', () => {
    const error = { name: 'TypeError', message: 'no', stack: 'TypeError: no\n    at f' };
    const call = inspectOne({ status: 'failed', fir: { resolve, error } });
    expect([call.status, call.error, call.replayable]).toEqual(['failed', error, true]);
  });

  it('has statistics of its tensors when they are asked for', () => {
    const values = tensorOf('float32', [1, Number.NaN, 3, Number.POSITIVE_INFINITY, 0, 0]);
    const flags = tensorOf('bool', [1, 0, 1]);
    const large = {
      ...tensorOf('int64', [0]),
      bytes: new Uint8Array(BigInt64Array.of(2n ** 53n + 1n).buffer),
    };
    const none = tensorOf('float32', [], [0]);
    const text = { dtype: 'string' as const, shape: [1], strings: ['a'] };
    const inputs = { arg_0: values, arg_1: flags, arg_2: large, arg_3: none, arg_4: text };
    const call = inspectOne({ inputs }, { stats: true });
    const [first, second, third, fourth, fifth] = call.inputs.map((tensor) => tensor.stats);
    expect(first).toMatchObject({ min: 0, max: 3, mean: 1, nan: 1, inf: 1, zeros: 2 });
    expect(first?.histogram?.counts.reduce((sum, count) => sum + count, 0)).toBe(4);
    expect(second).toEqual({
      min: null,
      max: null,
      mean: null,
      std: null,
      nan: 0,
      inf: 0,
      zeros: 1,
      trues: 2,
    });
    expect(third?.min).toBe(2n ** 53n + 1n);
    expect(fourth).toMatchObject({ min: null, std: null, zeros: 0 });
    expect(fifth).toBeUndefined();
    expect(inspectOne({ inputs }).inputs[0]?.stats).toBeUndefined();
  });

  it('counts the elements of packed 4-bit integers without their padding', () => {
    const call = inspectOne({ inputs: { arg_0: tensorOf('int4', [1, 2, 3]) } }, { stats: true });
    expect(call.inputs[0]?.stats).toMatchObject({ min: 1, max: 3, mean: 2, zeros: 0 });
  });

  it('has the hash of logical values when it is asked for', () => {
    const sha256 = (...parts: Uint8Array[]) =>
      parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest('hex');
    const length = (bytes: number) => new Uint8Array(BigUint64Array.of(BigInt(bytes)).buffer);
    const strings = { dtype: 'string' as const, shape: [2], strings: ['ab', 'é'] };
    const call = inspectOne(
      { inputs: { arg_0: { ...input, stride: [1, 2] }, arg_1: strings } },
      { hash: true },
    );
    expect(call.inputs.map((tensor) => tensor.sha256)).toEqual([
      sha256(input.bytes ?? new Uint8Array()),
      sha256(length(2), Buffer.from('ab'), length(2), Buffer.from('é')),
    ]);
  });

  it('of FlashInfer’s has its local time and no duration', () => {
    const call = inspectOne({}, {}, { foreign: true });
    expect([call.startedAt, call.durationUs]).toEqual(['2026-11-24T14:32:17.000', null]);
    expect(inspectOne({ record: { timestamp: 'noon' } }, {}, { foreign: true }).startedAt).toBeNull();
  });
});

describe('reasons for which a call can’t be replayed', () => {
  it.each<[string, Partial<WrittenCall>, string]>([
    [
      'that the recorder gave',
      { fir: { resolve, not_replayable: ['arg_1: a function'] } },
      'arg_1: a function',
    ],
    [
      'a function that is not found again',
      { fir: { resolve: { kind: 'unresolved', reason: 'not exported', hint: 'use --target' } } },
      'not exported (use --target)',
    ],
    ['nothing on its function', {}, 'nothing recorded says how to find its function again'],
    [
      'arguments cut short',
      { fir: { resolve, truncated: true } },
      'its arguments were too large to be recorded whole',
    ],
    [
      'an object made elsewhere',
      { functionName: 'W.run', selfId: 3, ...RECORDED },
      'the constructor of its object (self_id 3) is not in the session',
    ],
    [
      'a graph that never ran',
      { ...RECORDED, status: 'graph_capture_pending_flush' },
      'its CUDA graph was never run, so no tensor was saved',
    ],
    [
      'contents that were not saved',
      { ...RECORDED, inputs: { arg_0: { dtype: 'float32', shape: [1] } } },
      'input arg_0: the contents of "arg_0" were not saved',
    ],
    [
      'a layout that makes no sense',
      { ...RECORDED, inputs: { arg_0: { ...input, stride: [1] } } },
      'input arg_0: no layout of tensor "arg_0": its stride has another length than its shape',
    ],
  ])('are told: %s', (_, call, reason) => {
    const inspected = inspectOne(call);
    expect([inspected.replayable, inspected.reasons]).toEqual([false, [reason]]);
  });

  it('leave out arguments that the call only writes', () => {
    const call = inspectOne({
      inputs: { kwarg_out: { dtype: 'float32', shape: [2] } },
      fir: { resolve, roles: { kwarg_out: 'out' } },
    });
    expect([call.replayable, call.inputs[0]?.error]).toEqual([true, undefined]);
  });

  it('tell of files that are missing; an output is only a tensor that can’t be shown', () => {
    const dir = makeTempDir();
    const [written] = writeSession(dir, [
      { functionName: 'f', inputs: { arg_0: input }, outputs: { result: input }, ...RECORDED },
    ]);
    rmSync(join(written?.path ?? '', 'outputs.safetensors'));
    const [withInputs] = documentOf(dir).calls;
    expect([withInputs?.replayable, withInputs?.outputs[0]?.error]).toEqual([
      true,
      'outputs.safetensors is missing',
    ]);
    rmSync(join(written?.path ?? '', 'inputs.safetensors'));
    const [without] = documentOf(dir, { stats: true, hash: true }).calls;
    expect(without?.reasons).toEqual(['input arg_0: inputs.safetensors is missing']);
    rmSync(written?.path ?? '', { recursive: true });
    const [gone] = documentOf(dir).calls;
    expect([gone?.reasons, gone?.durationUs, gone?.inputs]).toEqual([
      ['its dump directory is missing'],
      1000,
      [],
    ]);
  });

  it('tell of a dump without a record', () => {
    const dir = makeTempDir();
    writeSession(dir, [{ functionName: 'f' }]);
    mkdirSync(join(dir, '20261124_150000_000_pid77_attention.run_call0001'));
    const [, call] = documentOf(dir).calls;
    expect(call).toMatchObject({
      function: 'attention.run',
      status: 'no_record',
      startedAt: null,
      replayable: false,
      reasons: ['its dump directory is empty'],
    });
  });
});

describe('the document', () => {
  it('tells what is stored once though several tensors hold it, and nothing where nothing is', () => {
    const path = join(makeTempDir(), 'session');
    const [shared, own] = [Float32Array.of(1, 2), Float32Array.of(3)];
    const calls = [
      { inputs: { arg_0: shared, arg_1: own }, blobs: ['arg_0', 'arg_1'] },
      { inputs: { arg_0: shared, arg_1: Float32Array.of(4) }, blobs: ['arg_0'] },
    ];
    writeRecorded(path, calls, 'safetensors');
    expect(documentOf(path).summary.contents).toEqual({ tensors: 3, bytes: 20, storedBytes: 12 });
    expect(documentOf(fixturePath('stateful_pt')).summary.contents).toBeUndefined();
  });

  it('adds up the calls that it holds', () => {
    const dir = makeTempDir();
    const gemm = {
      functionName: 'gemm',
      inputs: { arg_0: input },
      outputs: { result: { ...input, data: { sameAs: 'arg_0' } } },
    };
    writeSession(dir, [
      { ...gemm, durationUs: 30 },
      { ...gemm, durationUs: 10, status: 'failed' },
      { functionName: 'norm', status: 'inputs_saved' },
      { ...gemm, durationUs: 20 },
    ]);
    expect(documentOf(dir).summary).toEqual({
      calls: 4,
      byStatus: { completed: 2, failed: 1, inputs_saved: 1 },
      byFunction: [
        { function: 'gemm', calls: 3, failed: 1, unfinished: 0, bytes: 48, p50Us: 20, p95Us: 30 },
        { function: 'norm', calls: 1, failed: 0, unfinished: 1, bytes: 0, p50Us: null, p95Us: null },
      ],
      unfinished: [3],
    });
    const selected = documentOf(dir, { call: parseCallRanges('2-3'), include: ['gemm'] });
    expect([selected.calls.map(({ call }) => call), selected.summary.calls]).toEqual([[2], 1]);
  });

  it('tells of the calls taken so far, and begins anew with each walk', () => {
    const dir = makeTempDir();
    writeSession(dir, [{ functionName: 'a' }, { functionName: 'b' }]);
    const { calls, summary } = inspectSession(openSession(dir));
    for (const _ of calls) break;
    expect(summary().calls).toBe(1);
    expect([...calls]).toHaveLength(2);
    expect(summary().calls).toBe(2);
  });

  it('has the versions of all processes', () => {
    const dir = makeTempDir();
    writeSession(dir, [{ functionName: 'a', pid: 1 }], {
      header: { versions: { node: '20.19.0', fir: '0.1.0' } },
    });
    writeSession(dir, [{ functionName: 'b', pid: 2 }], {
      header: { versions: { node: '22.1.0', fir: '0.1.0' } },
    });
    expect(documentOf(dir).session).toEqual({
      path: dir,
      producer: 'fir',
      versions: { node: '20.19.0, 22.1.0', fir: '0.1.0' },
      processes: 2,
      records: 4,
      unreadable: [],
      unreadableCount: 0,
    });
  });

  it.each(FLASHINFER_SESSIONS)('of the FlashInfer session %s fits its schema', (name) => {
    const { session, calls, summary } = documentOf(fixturePath(name), { stats: true, hash: true });
    expect(session).toMatchObject({
      producer: 'flashinfer',
      versions: { torch: '1.13.0a0', python: '3.11.2', flashinfer: '0.6.0' },
    });
    const unfinished = calls.filter((call) => call.status === 'inputs_saved').map(({ call }) => call);
    expect(summary.unfinished).toEqual(unfinished);
    for (const { inputs, status } of calls) {
      if (status === 'graph_capture_pending_flush') continue;
      expect(inputs.map(({ error, sha256 }) => [error, sha256?.length])).toEqual(
        inputs.map(() => [undefined, 64]),
      );
    }
  });
});
