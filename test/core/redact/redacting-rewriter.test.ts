import { readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseJson, stringifyJson } from '../../../src/core/json/index.js';
import type { JsonObject } from '../../../src/core/model/json.js';
import { RedactingRewriter } from '../../../src/core/redact/index.js';
import { layoutStatistics } from '../../../src/core/redact/layout-statistics.js';
import { type Dump, isRedactedCall, openSession, type Session } from '../../../src/core/session/index.js';
import { extractSession } from '../../../src/core/store/index.js';
import { elementCount } from '../../../src/core/tensor/index.js';
import { FLASHINFER_SESSIONS, fixturePath } from '../../support/flashinfer-fixtures.js';
import { tensorOf, type WrittenCall, writeSession } from '../../support/session-writer.js';
import { makeTempDir } from '../../support/temp-dir.js';

/** All of a session without its values. */
async function redact(path: string): Promise<Session> {
  const session = openSession(path);
  const destination = join(makeTempDir(), 'out');
  const calls = session.calls.map(({ number }) => number);
  await extractSession({ session, calls, destination, redact: new RedactingRewriter(session) });
  return openSession(destination);
}

function written(calls: readonly WrittenCall[], foreign = false): string {
  const dir = makeTempDir();
  const argv = ['/bin/node', '/home/SECRET/a.js', 'SECRET'];
  writeSession(dir, calls, { foreign, header: { cwd: '/home/SECRET', argv } });
  return dir;
}

function open(session: Session, number = 1): Dump {
  const call = session.calls[number - 1];
  if (call === undefined) throw new Error(`no call ${number}`);
  return session.openDump(call);
}

function filesOf(session: Session): Map<string, string> {
  const found = readdirSync(session.root, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return new Map(found.map(({ name, parentPath }) => [name, readFileSync(join(parentPath, name), 'latin1')]));
}

const VIEW = { ...tensorOf('float32', [1.25, 7.7777, -3, 4], [2, 2]), stride: [1, 2], offset: 3, storage: 9 };
const CALL: WrittenCall = {
  functionName: 'gemm',
  inputs: {
    arg_0: VIEW,
    arg_1: tensorOf('int64', [3, 0, 2]),
    arg_2: { ...VIEW, data: { sameAs: 'arg_0' } },
  },
  outputs: { result: tensorOf('bool', [1, 0, 1]) },
  mutated: { arg_1: tensorOf('int64', [5, 5, 7]) },
  inputMetadata: { arg_3: 'SECRET', arg_4: 0.5 },
  fir: {
    mutated_arguments: { arg_3: 'SECRET' },
    resolve: { kind: 'module', root: '/home/SECRET', module: 'a.js', export: 'gemm' },
    dropped: { note: 'SECRET' },
  },
  record: { function_signature: "(a = 'SECRET')", later: { field: 'SECRET', count: 3 } },
};

describe('a call that fir recorded', () => {
  it('has its layouts, and statistics in place of the values', async () => {
    const dump = open(await redact(written([CALL])));
    expect(dump.tensor('inputs', 'arg_0')).toMatchObject({
      ...{ dtype: 'float32', shape: [2, 2], stride: [1, 2], offset: 3, storage: 9, redacted: true },
      stats: { min: -3, zeros: 0, nan: 0, inf: 0 },
    });
    expect(dump.tensor('inputs', 'arg_2')).toMatchObject({
      sameAs: 'arg_0',
      redacted: true,
      stats: { min: -3 },
    });
    expect(dump.tensor('inputs', 'arg_1').stats).toMatchObject({ min: 0, max: 3, zeros: 1 });
    expect(dump.tensor('mutated', 'arg_1').stats).toMatchObject({ min: 5, max: 7 });
    expect(dump.tensor('outputs', 'result').stats).toEqual({ nan: 0, inf: 0, zeros: 1, trues: 2 });
  });

  it('says that its values can not be read', async () => {
    const dump = open(await redact(written([CALL])));
    const missing = expect.objectContaining({
      code: 'TENSOR_DATA_MISSING',
      message: expect.stringMatching(/redacted/),
    });
    expect(() => dump.tensor('inputs', 'arg_0').logicalBytes()).toThrow(missing);
    expect(() => dump.tensor('inputs', 'arg_2').verify()).toThrow(missing);
  });

  it('is marked, and keeps numbers, names and fields that nobody knows', async () => {
    const dump = open(await redact(written([CALL])));
    expect(isRedactedCall(dump.record)).toBe(true);
    expect(dump.record.input_metadata).toMatchObject({
      arg_3: { type: 'fir.redacted', length: 6 },
      arg_4: 0.5,
    });
    expect(dump.record.fir?.resolve).toMatchObject({ root: '.', module: 'a.js', export: 'gemm' });
    expect(parseJson(dump.recordText)).toMatchObject({
      later: { field: { type: 'fir.redacted' }, count: 3 },
      function_signature: "(a = '…')",
    });
  });

  it('holds nothing of the values in any file', async () => {
    const session = await redact(written([CALL]));
    const bytes = Buffer.from(Float32Array.of(7.7777).buffer).toString('latin1');
    const files = filesOf(session);
    expect([...files.keys()].sort()).toEqual(['metadata.jsonl', 'session.jsonl', 'uid4242.json']);
    for (const text of files.values()) {
      expect(text).not.toContain('SECRET');
      expect(text).not.toContain(bytes);
      expect(text).not.toContain('1.25');
    }
    expect(session.unreadableCount).toBe(0);
  });

  it('keeps the class of an error alone', async () => {
    const error = { name: 'TypeError', message: 'SECRET', stack: 'at SECRET', value: 'SECRET' };
    const odd = { name: 'SECRET-1', message: '' };
    const session = await redact(
      written([
        { functionName: 'f', status: 'failed', fir: { error } },
        { functionName: 'g', status: 'failed', fir: { error: odd } },
      ]),
    );
    expect(open(session).record.fir?.error).toMatchObject({
      name: 'TypeError',
      message: '[redacted, 6 characters]',
    });
    expect(open(session, 2).record.fir?.error?.name).toBe('Error');
    for (const text of filesOf(session).values()) expect(text).not.toContain('SECRET');
  });

  it('keeps 64-bit integers of statistics exactly', async () => {
    const words = new BigInt64Array([2n ** 62n + 1n, -(2n ** 62n) - 1n]);
    const arg = { ...tensorOf('int64', [0, 0]), bytes: new Uint8Array(words.buffer) };
    const dump = open(await redact(written([{ functionName: 'f', inputs: { arg_0: arg } }])));
    expect(dump.tensor('inputs', 'arg_0').stats).toMatchObject({
      min: -(2n ** 62n) - 1n,
      max: 2n ** 62n + 1n,
    });
  });

  it('is the same when it is redacted again', async () => {
    const once = await redact(written([CALL]));
    const twice = await redact(once.root);
    expect(twice.readRecord(twice.calls[0] as never)).toEqual(once.readRecord(once.calls[0] as never));
    expect(filesOf(twice)).toEqual(filesOf(once));
  });

  it('has no statistics of a tensor whose file is gone', async () => {
    const dir = written([CALL]);
    const [name = ''] = readdirSync(dir).filter((entry) => entry.includes('gemm'));
    rmSync(join(dir, name, 'inputs.safetensors'));
    const tensor = open(await redact(dir)).tensor('inputs', 'arg_1');
    expect([tensor.redacted, tensor.stats]).toEqual([true, undefined]);
  });

  it('takes no records from behind a link', async () => {
    const dir = written([{ functionName: 'f' }]);
    const [name = ''] = readdirSync(dir).filter((entry) => entry.includes('_f_'));
    const elsewhere = join(makeTempDir(), 'other.jsonl');
    writeFileSync(
      elsewhere,
      readFileSync(join(dir, name, 'metadata.jsonl'), 'utf8').replaceAll('"f"', '"stolen"'),
    );
    rmSync(join(dir, name, 'metadata.jsonl'));
    symlinkSync(elsewhere, join(dir, name, 'metadata.jsonl'));
    for (const text of filesOf(await redact(dir)).values()) expect(text).not.toContain('stolen');
  });
});

describe('a session of FlashInfer', () => {
  it.each(FLASHINFER_SESSIONS)('%s has the same calls with the same layouts, and no values', async (name) => {
    const before = openSession(fixturePath(name));
    const after = await redact(fixturePath(name));
    const heads = (session: Session) =>
      session.calls.map(({ functionName, status, processUid, sequence, selfId, generation, parent }) => ({
        ...{ functionName, status, processUid, sequence, selfId, generation, parent },
      }));
    expect(heads(after)).toEqual(heads(before));
    for (const [index, call] of before.calls.entries()) {
      if (call.problem !== undefined) continue;
      expectRedacted(before.openDump(call), open(after, index + 1));
    }
    for (const file of filesOf(after).keys()) expect(file).not.toMatch(/\.(?:pt|safetensors)$/);
  });

  it('keeps the characters of what stays', async () => {
    const dir = makeTempDir();
    const call: WrittenCall = {
      functionName: 'f',
      inputs: { arg_0: tensorOf('float32', [1, 2]) },
      inputMetadata: { arg_1: 'SECRET', arg_2: 1 },
    };
    const [dump] = writeSession(dir, [call], { foreign: true });
    if (dump === undefined) throw new Error('nothing was written');
    const path = join(dump.path, 'metadata.jsonl');
    // As Python writes: with spaces, and 1.0 for a float.
    const python = (text: string) => text.replaceAll('"arg_2":1', '"arg_2": 1.0, "arg_3": [NaN, 1e5]');
    writeFileSync(path, python(readFileSync(path, 'utf8')));
    writeFileSync(join(dir, 'session.jsonl'), python(readFileSync(join(dir, 'session.jsonl'), 'utf8')));
    const text = open(await redact(dir)).recordText;
    expect(text).toContain('"arg_2": 1.0, "arg_3": [NaN, 1e5]');
    expect(text).not.toContain('SECRET');
  });
});

function expectRedacted(before: Dump, after: Dump): void {
  expect(isRedactedCall(after.record)).toBe(true);
  for (const group of ['inputs', 'outputs'] as const) {
    expect(after.keys(group)).toEqual(before.keys(group));
    for (const key of before.keys(group)) {
      const [was, is] = [readable(before, group, key), readable(after, group, key)];
      if (was === undefined || is === undefined) continue;
      const { dtype, shape, stride, offset, device } = was;
      expect(is).toMatchObject({ dtype, shape, stride, offset, device, redacted: true });
      const all = layoutStatistics(dtype, elementCount(shape), () => was.chunks());
      const { mean, std, ...exact } = parseJson(stringifyJson({ ...all })) as JsonObject;
      expect(is.stats).toMatchObject(exact);
      // Of an expanded tensor each element is looked at once.
      expect(ratio(is.stats?.mean, mean)).toBeCloseTo(1, 9);
      expect(ratio(is.stats?.std, std)).toBeCloseTo(1, 9);
    }
  }
  before.close();
  after.close();
}

function ratio(is: unknown, was: unknown): number {
  return is === was ? 1 : Number(is) / Number(was);
}

/** Undefined where a tensor's file is damaged: that is other tests' concern. */
function readable(dump: Dump, group: 'inputs' | 'outputs', key: string) {
  try {
    const stored = dump.tensor(group, key);
    if (stored.redacted !== true) stored.verify({ values: true });
    return stored;
  } catch {
    return undefined;
  }
}
