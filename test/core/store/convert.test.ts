import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSession } from '../../../src/core/session/index.js';
import { type ExtractOptions, type ExtractResult, extractSession } from '../../../src/core/store/index.js';
import { Tensor } from '../../../src/core/tensor/index.js';
import { FLASHINFER_SESSIONS, fixturePath } from '../../support/flashinfer-fixtures.js';
import { writeRecorded } from '../../support/recorded-session.js';
import { hashTree, valuesOf } from '../../support/session-content.js';
import { tensorOf, type WrittenCall, writeSession } from '../../support/session-writer.js';
import { makeTempDir } from '../../support/temp-dir.js';
import { CALLS, NEWER_CALLS } from './recorded-calls.js';

interface Converted extends ExtractResult {
  path: string;
}

async function convert(source: string, options: Partial<ExtractOptions>): Promise<Converted> {
  const session = openSession(source);
  const path = join(makeTempDir(), 'out');
  const calls = session.calls.map((call) => call.number);
  return { path, ...(await extractSession({ session, calls, destination: path, ...options })) };
}

/** Tensor files but for snapshots that repeat the one before, which are no calls. */
function tensorFiles(path: string, ending = ''): string[] {
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(pt|safetensors)$/.test(name) && name.endsWith(ending))
    .filter((name) => !name.includes('flush_0003'))
    .sort();
}

/** Calls that have no record or whose file is damaged: they stay as they are. */
const UNCONVERTED = new Map<string, string>([
  ['disk_full', 'cut short'],
  ['nested_pt', 'holds no readable record'],
]);

describe('a session of FlashInfer', () => {
  it.each(FLASHINFER_SESSIONS)('%s keeps every tensor in the other format and back', async (name) => {
    const source = fixturePath(name);
    const before = hashTree(source);
    const there = await convert(source, { format: 'safetensors' });
    expect(valuesOf(openSession(there.path))).toEqual(valuesOf(openSession(source)));
    const back = await convert(there.path, { format: 'torch' });
    expect(valuesOf(openSession(back.path))).toEqual(valuesOf(openSession(source)));
    expect(tensorFiles(back.path)).toEqual(tensorFiles(source));
    expect(tensorFiles(back.path, '.safetensors')).toEqual([]);
    const reason = UNCONVERTED.get(name);
    expect(there.unconverted.map((call) => call.reason)).toEqual(
      reason === undefined ? [] : [expect.stringContaining(reason)],
    );
    if (reason === undefined) expect(tensorFiles(there.path, '.pt')).toEqual([]);
    expect(hashTree(source)).toBe(before);
  });
});

/** What the files of changed arguments hold, call by call. */
function mutatedKeys(path: string): string[][] {
  const session = openSession(path);
  return session.calls.map((call) => {
    const dump = session.openDump(call);
    const file = dump.files().find(({ group }) => group === 'mutated');
    const keys = file === undefined ? [] : dump.fileKeys(file.name).sort();
    dump.close();
    return keys;
  });
}

describe.each(['torch', 'safetensors'] as const)('a session of fir in %s', (format) => {
  const other = format === 'torch' ? 'safetensors' : 'torch';
  const ending = (name: string) => (name === 'torch' ? '.pt' : '.safetensors');

  it('keeps every tensor in the other format and back', async () => {
    const dir = makeTempDir();
    writeRecorded(dir, [...CALLS, ...NEWER_CALLS], format);
    const before = hashTree(dir);
    const there = await convert(dir, { format: other });
    expect(there.unconverted).toEqual([]);
    expect(tensorFiles(there.path, ending(format))).toEqual([]);
    expect(valuesOf(openSession(there.path))).toEqual(valuesOf(openSession(dir)));
    const back = await convert(there.path, { format });
    expect(back.unconverted).toEqual([]);
    expect(tensorFiles(back.path, ending(other))).toEqual([]);
    expect(mutatedKeys(back.path)).toEqual(mutatedKeys(dir));
    expect(mutatedKeys(there.path)).toEqual(mutatedKeys(dir));
    expect(valuesOf(openSession(back.path))).toEqual(valuesOf(openSession(dir)));
    expect(hashTree(dir)).toBe(before);
  });

  it('has its blobs in its own files again', async () => {
    const dir = makeTempDir();
    writeRecorded(dir, CALLS, format);
    const plain = await convert(dir, { plain: true });
    expect(plain.unconverted).toEqual([]);
    expect(readdirSync(plain.path)).not.toContain('blobs');
    expect(valuesOf(openSession(plain.path))).toEqual(valuesOf(openSession(dir)));
    const kept = await convert(dir, { format: other });
    expect(readdirSync(join(kept.path, 'blobs'))).toHaveLength(2);
    const both = await convert(dir, { plain: true, format: other });
    expect(readdirSync(both.path)).not.toContain('blobs');
    expect(valuesOf(openSession(both.path))).toEqual(valuesOf(openSession(dir)));
  });
});

describe('an expanded tensor', () => {
  it.each(['fir', 'foreign'])('of %s is stored once in a safetensors file', async (recorder) => {
    const dir = makeTempDir();
    writeRecorded(
      dir,
      [{ inputs: { arg_0: Tensor.from([1, 2], 'int64', [2, 1]).expand([2, 100_000]) } }],
      'torch',
    );
    if (recorder === 'foreign') withoutFir(dir);
    const { path, unconverted } = await convert(dir, { format: 'safetensors' });
    expect(unconverted).toEqual([]);
    const [file = ''] = tensorFiles(path, '.safetensors');
    expect(statSync(join(path, file)).size).toBeLessThan(1000);
    expect(valuesOf(openSession(path))).toEqual(valuesOf(openSession(dir)));
  });
});

/** Takes from the records what only fir writes. */
function withoutFir(dir: string): void {
  const files = readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.jsonl'),
  );
  for (const file of files) {
    const lines = readFileSync(join(dir, file), 'utf8').trimEnd().split('\n');
    const without = lines.map((line) => JSON.stringify({ ...JSON.parse(line), fir: undefined }));
    writeFileSync(join(dir, file), without.map((line) => `${line}\n`).join(''));
  }
}

describe('a safetensors session of another recorder', () => {
  const calls: WrittenCall[] = [
    {
      functionName: 'f',
      inputs: {
        arg_0: { ...tensorOf('float32', [1, 2, 3, 4, 5, 6], [2, 3]), stride: [1, 2] },
        arg_1: tensorOf('float8_e5m2', [1, 2]),
        arg_2: tensorOf('float4_e2m1fn_x2', [1, 2, 3, 4], [1, 2]),
      },
      outputs: { result: { ...tensorOf('bfloat16', [7]), device: 'cuda:1' } },
    },
  ];

  it('keeps every tensor in the other format and back', async () => {
    const dir = makeTempDir();
    writeSession(dir, calls, { foreign: true });
    const there = await convert(dir, { format: 'torch' });
    expect(there.unconverted).toEqual([]);
    expect(tensorFiles(there.path, '.safetensors')).toEqual([]);
    expect(valuesOf(openSession(there.path))).toEqual(valuesOf(openSession(dir)));
    const back = await convert(there.path, { format: 'safetensors' });
    expect(valuesOf(openSession(back.path))).toEqual(valuesOf(openSession(dir)));
  });
});
