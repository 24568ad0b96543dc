import { createHash } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { RedactingRewriter } from '../../../src/core/redact/index.js';
import { openSession } from '../../../src/core/session/index.js';
import { dedupeSession } from '../../../src/core/store/dedupe-session.js';
import { extractSession } from '../../../src/core/store/index.js';
import { Storage, Tensor } from '../../../src/core/tensor/index.js';
import { copyFixture, FLASHINFER_SESSIONS } from '../../support/flashinfer-fixtures.js';
import { type RecordedCall, writeRecorded } from '../../support/recorded-session.js';
import { hashTree, valuesOf } from '../../support/session-content.js';
import { makeTempDir } from '../../support/temp-dir.js';
import { CALLS } from './recorded-calls.js';

const FORMATS = ['safetensors', 'torch'] as const;
const ALL = { minBytes: 1 };

function bytesOf(path: string): number {
  const seen = new Map<number, number>();
  for (const name of readdirSync(path, { recursive: true, encoding: 'utf8' })) {
    const stats = statSync(join(path, name));
    if (stats.isFile()) seen.set(stats.ino, stats.size);
  }
  return [...seen.values()].reduce((sum, size) => sum + size, 0);
}

function blobsIn(path: string): string[] {
  return existsSync(join(path, 'blobs')) ? readdirSync(join(path, 'blobs')).sort() : [];
}

async function plainCopy(path: string): Promise<string> {
  const session = openSession(path);
  const destination = join(makeTempDir(), 'plain');
  const calls = session.calls.map((call) => call.number);
  const { unconverted } = await extractSession({ session, calls, destination, plain: true });
  expect(unconverted).toEqual([]);
  return destination;
}

function weight(seed: number, length = 4096): Float32Array {
  return Float32Array.from({ length }, (_, index) => Math.fround(Math.sin(index * (seed + 1))));
}

describe.each(FORMATS)('a recorded session in %s', (format) => {
  it('keeps what several calls hold once, and every call as it was', async () => {
    const path = join(makeTempDir(), 'session');
    const calls = Array.from({ length: 10 }, (_, index): RecordedCall => {
      const x = Float32Array.of(index);
      return { inputs: { arg_0: weight(0), arg_1: x }, outputs: { result: weight(index + 1) } };
    });
    writeRecorded(path, calls, format);
    const before = valuesOf(openSession(path));
    const size = bytesOf(path);
    const dry = await dedupeSession(path, { dryRun: true });
    expect(bytesOf(path)).toBe(size);
    const result = await dedupeSession(path);
    expect(valuesOf(openSession(path))).toEqual(before);
    expect(result).toMatchObject({ tensors: 10, bytes: 163840, newBytes: 16384, calls: 10, left: [] });
    expect(dry).toMatchObject({ tensors: 10, bytes: 163840, newBytes: 16384, savedBytes: 9 * 16384 });
    expect(blobsIn(path)).toHaveLength(1);
    expect(statSync(join(path, 'blobs', blobsIn(path)[0] ?? '')).nlink).toBe(11);
    expect(result.savedBytes).toBeGreaterThan(9 * 16384 - 100);
    expect(bytesOf(path)).toBeLessThan(size - 9 * 16384 + 4000);
    expect(existsSync(join(path, '.dropped'))).toBe(false);
  });

  it('is not touched again when nothing is left to do', async () => {
    const path = join(makeTempDir(), 'session');
    writeRecorded(path, [...CALLS, ...CALLS], format);
    await dedupeSession(path, ALL);
    const tree = hashTree(path);
    expect(await dedupeSession(path, ALL)).toMatchObject({ calls: 0, left: [] });
    expect(hashTree(path)).toBe(tree);
  });

  it('keeps views, sharing, expansion and end states, and gives the plain files back', async () => {
    const path = join(makeTempDir(), 'session');
    writeRecorded(path, [...CALLS, ...CALLS], format);
    const before = valuesOf(openSession(path));
    const { tensors, left } = await dedupeSession(path, ALL);
    expect(left).toEqual([]);
    expect(tensors).toBeGreaterThan(20);
    expect(valuesOf(openSession(path))).toEqual(before);
    const plain = await plainCopy(path);
    expect(valuesOf(openSession(plain))).toEqual(before);
    expect(blobsIn(plain)).toEqual([]);
    expect(readFileSync(join(plain, 'session.jsonl'), 'utf8')).not.toMatch(/"sha256"|mutated_data/);
  });

  it('takes a changed argument that the next call gets as the same content', async () => {
    const path = join(makeTempDir(), 'session');
    const states = [weight(1), weight(2), weight(3)];
    const calls = [0, 1].map((at): RecordedCall => {
      const [before, after] = [states[at] ?? weight(0), states[at + 1] ?? weight(0)];
      return { inputs: { arg_0: before }, mutated: { arg_0: after } };
    });
    writeRecorded(path, calls, format);
    const before = valuesOf(openSession(path));
    expect(await dedupeSession(path)).toMatchObject({ tensors: 2, calls: 2 });
    expect(valuesOf(openSession(path))).toEqual(before);
    expect(blobsIn(path)).toHaveLength(1);
  });
});

interface Step {
  /** Which of a few contents, of how many elements. */
  content: number;
  length: number;
  /** A view of the memory of the step before where there is one. */
  isView: boolean;
  stride: number;
  group: 'inputs' | 'outputs' | 'mutated';
}

const step: fc.Arbitrary<Step> = fc.record({
  content: fc.nat(2),
  length: fc.integer({ min: 1, max: 6 }),
  isView: fc.boolean(),
  stride: fc.nat(3),
  group: fc.constantFrom('inputs', 'inputs', 'outputs', 'mutated'),
});

function memoryOf(content: number): Storage {
  return new Storage(new Uint8Array(Float32Array.from({ length: 32 }, (_, at) => at * content).buffer));
}

function callFrom(steps: readonly Step[], memory: Storage[]): RecordedCall {
  const call: Required<Pick<RecordedCall, 'inputs' | 'outputs' | 'mutated'>> = {
    inputs: {},
    outputs: {},
    mutated: {},
  };
  /** What memory holds after the call. */
  const ends = new Map<Storage, Storage>();
  steps.forEach(({ content, length, isView, stride, group }, index) => {
    const known = memory.at(-1);
    const storage = isView && known !== undefined ? known : memoryOf(content);
    memory.push(storage);
    const layout = { dtype: 'float32', shape: [length, 2], stride: [stride, 1], offset: content } as const;
    const tensor = new Tensor({ ...layout, storage });
    if (group === 'mutated') {
      call.inputs[`arg_${index}`] = tensor;
      const end = ends.get(storage) ?? memoryOf(length);
      ends.set(storage, end);
      call.mutated[`arg_${index}`] = new Tensor({ ...layout, storage: end });
    } else call[group][group === 'inputs' ? `arg_${index}` : `result_${index}`] = tensor;
  });
  return call;
}

test('any session has the same calls, layouts, sharing and values after it, and after its plain copy', async () => {
  const calls = fc.array(fc.array(step, { maxLength: 5 }), { minLength: 1, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(calls, fc.constantFrom(...FORMATS), fc.nat(24), async (program, format, minBytes) => {
      const path = join(makeTempDir(), 'session');
      const memory: Storage[] = [];
      writeRecorded(
        path,
        program.map((steps) => callFrom(steps, memory)),
        format,
      );
      const before = valuesOf(openSession(path));
      const { left } = await dedupeSession(path, { minBytes });
      expect(left).toEqual([]);
      expect(valuesOf(openSession(path))).toEqual(before);
      expect(valuesOf(openSession(await plainCopy(path)))).toEqual(before);
    }),
    { numRuns: 60 },
  );
}, 120_000);

describe.each(FLASHINFER_SESSIONS)('FlashInfer’s session %s', (name) => {
  it('keeps its calls, their layouts and values, and each record its own text', async () => {
    const path = copyFixture(name);
    const before = valuesOf(openSession(path));
    const texts = linesIn(path);
    const { left } = await dedupeSession(path, ALL);
    expect(left).toEqual([]);
    expect(valuesOf(openSession(path))).toEqual(before);
    expect(linesIn(path).map((line) => line.replace(/,? ?"fir": ?\{.*\}\}$/, '}'))).toEqual(texts);
  });
});

function linesIn(path: string): string[] {
  const index = join(path, 'session.jsonl');
  return existsSync(index) ? readFileSync(index, 'utf8').split('\n') : [];
}

describe('what is left as it is', () => {
  function twice(format: 'safetensors' | 'torch' = 'safetensors'): string {
    const path = join(makeTempDir(), 'session');
    writeRecorded(
      path,
      [{ inputs: { arg_0: weight(0) } }, { inputs: { arg_0: weight(0) } }, { inputs: {} }],
      format,
    );
    return path;
  }
  const dumpsOf = (path: string): string[] => openSession(path).calls.map((call) => join(path, call.dump));

  it('is a tensor that is too small, or there once', async () => {
    const path = join(makeTempDir(), 'session');
    writeRecorded(path, [{ inputs: { arg_0: weight(0) } }, { inputs: { arg_0: weight(1) } }], 'safetensors');
    const tree = hashTree(path);
    expect(await dedupeSession(path)).toMatchObject({ tensors: 0, calls: 0 });
    expect(hashTree(path)).toBe(tree);
  });

  it('is a file that can’t be read', async () => {
    const path = twice('torch');
    const [first = ''] = dumpsOf(path);
    writeFileSync(join(first, 'inputs.pt'), 'no file of torch’s');
    const tree = hashTree(path);
    expect(await dedupeSession(path)).toMatchObject({ tensors: 0, calls: 0 });
    expect(hashTree(path)).toBe(tree);
  });

  it('is what comes to be written by somebody while it is looked at', async () => {
    const path = twice();
    await expect(
      dedupeSession(path, {
        onProgress: (action, done) => {
          if (action === 'storing' && done === 1) appendFileSync(join(path, 'session.jsonl'), '\n');
        },
      }),
    ).resolves.toMatchObject({ calls: 2 });
    expect(openSession(path).calls).toHaveLength(3);
  });
});

it('writes content anew that has the right name and is damaged', async () => {
  const path = join(makeTempDir(), 'session');
  const call = (): RecordedCall => ({ inputs: { arg_0: weight(0) } });
  writeRecorded(path, [call(), call()], 'safetensors');
  const before = valuesOf(openSession(path));
  const bytes = new Uint8Array(weight(0).buffer);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  mkdirSync(join(path, 'blobs'));
  writeFileSync(
    join(path, 'blobs', sha256),
    bytes.map((byte) => byte ^ 1),
  );
  expect(await dedupeSession(path)).toMatchObject({ tensors: 2, calls: 2 });
  expect(valuesOf(openSession(path))).toEqual(before);
});

it('tells nothing of contents in a copy without values', async () => {
  const path = join(makeTempDir(), 'session');
  const call = (): RecordedCall => ({ inputs: { arg_0: weight(1) }, mutated: { arg_0: weight(2) } });
  writeRecorded(path, [call(), call()], 'safetensors');
  await dedupeSession(path);
  const hashes = blobsIn(path);
  expect(hashes).toHaveLength(2);
  const session = openSession(path);
  const destination = join(makeTempDir(), 'out');
  await extractSession({ session, calls: [1, 2], destination, redact: new RedactingRewriter(session) });
  const text = readFileSync(join(destination, 'session.jsonl'), 'utf8');
  for (const told of [...hashes, 'mutated_data']) expect(text).not.toContain(told);
  expect(blobsIn(destination)).toEqual([]);
  const [call1] = openSession(destination).calls;
  if (call1 === undefined) throw new Error('no call');
  const stats = openSession(destination).readRecord(call1).fir?.mutated_stats;
  expect(Object.keys(stats ?? {})).toEqual(['arg_0']);
});
