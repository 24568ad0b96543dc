import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import type { TensorRole } from '../../src/core/model/tensor.js';
import { openSession } from '../../src/core/session/index.js';
import { Storage, Tensor } from '../../src/core/tensor/index.js';
import { BlobStore } from '../../src/preload/blob-store.js';
import { HeaderFile } from '../../src/preload/process-header.js';
import type { RecordedFunction } from '../../src/preload/recorded-function.js';
import { Recorder } from '../../src/preload/recorder-core.js';
import { settingsFrom } from '../../src/preload/settings.js';
import { valuesOf } from '../support/session-content.js';
import { makeTempDir } from '../support/temp-dir.js';

/** 64 KiB of float32. */
const ELEMENTS = 16_384;

function recorderFor(
  directory: string,
  env: NodeJS.ProcessEnv = {},
): { recorder: Recorder; header: HeaderFile } {
  const settings = settingsFrom({
    FIR_LOGLEVEL: '10',
    FIR_DUMP_DIR: directory,
    FIR_DUMP_DEDUPE: '1',
    FIR_DUMP_MAX_COUNT: '100000',
    ...env,
  });
  const header = new HeaderFile(settings, undefined, '0.0.0');
  const ignore = (): void => undefined;
  const log = { call: ignore, result: ignore, warn: ignore };
  return { recorder: new Recorder(settings, header, () => log), header };
}

function functionWith(roleOf?: (key: string) => TensorRole): RecordedFunction {
  return {
    name: 'f',
    module: 'app.mjs',
    signature: '()',
    kind: 'function',
    resolve: { current: { kind: 'module', root: '/app', module: 'app.mjs', export: 'f' } },
    ...(roleOf === undefined ? {} : { roleOf }),
  };
}

const F = functionWith();

function weight(seed: number): Float32Array {
  return Float32Array.from({ length: ELEMENTS }, (_, index) => Math.fround(Math.sin(index * (seed + 1))));
}

function blobsIn(directory: string): string[] {
  return existsSync(join(directory, 'blobs')) ? readdirSync(join(directory, 'blobs')).sort() : [];
}

function linksOf(directory: string): number[] {
  return blobsIn(directory).map((name) => statSync(join(directory, 'blobs', name)).nlink);
}

function filesIn(directory: string): string[] {
  return openSession(directory).calls.flatMap(({ dump }) => readdirSync(join(directory, dump)).sort());
}

describe.each(['1', '0'])('with FIR_DUMP_SAFETENSORS=%s', (safetensors) => {
  const env = { FIR_DUMP_SAFETENSORS: safetensors };

  it('a weight that every call gets is stored once, and each dump holds it', () => {
    const directory = makeTempDir();
    const { recorder, header } = recorderFor(directory, env);
    const w = weight(0);
    for (let call = 0; call < 5; call += 1)
      recorder.run(F, undefined, [w, Float32Array.of(call)], () => call);
    // The same content in other memory.
    recorder.run(F, undefined, [weight(0)], () => weight(0));
    expect(header.header.errors).toEqual([]);
    expect(linksOf(directory)).toEqual([7]);
    const values = valuesOf(openSession(directory));
    const seen = new Set(values.flatMap(({ tensors }) => tensors.map((tensor) => tensor.values)));
    expect(seen.size).toBe(6);
  });

  it('what a call changed in place is told, also where it is stored by content', () => {
    const directory = makeTempDir();
    const { recorder, header } = recorderFor(directory, env);
    const cache = weight(1);
    for (let call = 0; call < 3; call += 1) {
      recorder.run(F, undefined, [cache], () => {
        cache[call] = 7;
      });
    }
    recorder.run(F, undefined, [cache], () => undefined);
    expect(header.header.errors).toEqual([]);
    const session = openSession(directory);
    const mutated = session.calls.map((call) => session.readRecord(call).fir?.mutated_tensor_keys);
    expect(mutated).toEqual([['arg_0'], ['arg_0'], ['arg_0'], []]);
    // What a call ended with is what the next one begins with.
    expect(blobsIn(directory)).toHaveLength(4);
    const values = valuesOf(session).map(({ tensors }) => tensors.map((tensor) => tensor.values));
    expect(values[1]?.[0]).toBe(values[0]?.[1]);
    expect(filesIn(directory).filter((name) => /^(?:inputs|mutated)\./.test(name))).toEqual([]);
  });
});

it('a change in place after the synchronous return of a call is pending', async () => {
  const directory = makeTempDir();
  const { recorder } = recorderFor(directory);
  const buffer = weight(2);
  let settle = (): void => undefined;
  const wait = new Promise<void>((resolve) => {
    settle = resolve;
  });
  const result = recorder.run(F, undefined, [buffer], () => wait);
  buffer[5] = 1;
  settle();
  await result;
  const session = openSession(directory);
  const { fir } = session.calls.map((call) => session.readRecord(call))[0] ?? {};
  expect(fir?.mutated_pending_keys).toEqual(['arg_0']);
  expect(
    valuesOf(session)[0]
      ?.tensors.map(({ values }) => values)
      .every((text) => text.length === 64),
  ).toBe(true);
});

it('small tensors, texts and what is expanded stay in the file of the call', () => {
  const directory = makeTempDir();
  const { recorder } = recorderFor(directory);
  const row = new Tensor({
    dtype: 'float32',
    shape: [64, 4096],
    stride: [0, 1],
    storage: new Storage(new Uint8Array(16_384)),
  });
  recorder.run(F, undefined, [new Uint8Array(16_383), row], () => undefined);
  expect(blobsIn(directory)).toEqual([]);
  recorder.run(F, undefined, [new Uint8Array(16_384)], () => undefined);
  expect(blobsIn(directory)).toHaveLength(1);
});

it('without it nothing is stored by content', () => {
  const directory = makeTempDir();
  const { recorder } = recorderFor(directory, { FIR_DUMP_DEDUPE: '0' });
  recorder.run(F, undefined, [weight(0)], () => undefined);
  expect(existsSync(join(directory, 'blobs'))).toBe(false);
});

it('of what a call only writes to, the content that it ended with is stored', () => {
  const directory = makeTempDir();
  const { recorder } = recorderFor(directory);
  const out = weight(0);
  const writes = (): void => {
    out[0] = 3;
  };
  recorder.run(
    functionWith(() => 'out'),
    undefined,
    [out],
    writes,
  );
  const [name] = blobsIn(directory);
  expect(name).toBe(createHash('sha256').update(out).digest('hex'));
});

it('a limit counts content once', () => {
  const directory = makeTempDir();
  const size = (ELEMENTS * 4 * 3.9) / 1024 ** 3;
  const { recorder, header } = recorderFor(directory, { FIR_DUMP_MAX_SIZE_GB: String(size) });
  for (let call = 0; call < 5; call += 1) recorder.run(F, undefined, [weight(0)], () => undefined);
  expect(header.header.dropped.limit).toBe(0);
  for (const seed of [1, 2, 3, 4]) recorder.run(F, undefined, [weight(seed)], () => undefined);
  expect(header.header.dropped.limit).toBe(2);
  expect(blobsIn(directory)).toHaveLength(3);
});

describe('where blobs/ is not as it should be', () => {
  const w = weight(0);
  const bytes = new Uint8Array(w.buffer);
  const sha256 = createHash('sha256').update(bytes).digest('hex');

  it.each([
    ['damaged', bytes.map((byte) => byte ^ 1)],
    ['cut short', bytes.subarray(1)],
    ['empty', new Uint8Array()],
  ])('content that is %s is written anew', (_, content) => {
    const directory = makeTempDir();
    mkdirSync(join(directory, 'blobs'));
    writeFileSync(join(directory, 'blobs', sha256), content);
    const { recorder, header } = recorderFor(directory);
    recorder.run(F, undefined, [w], () => undefined);
    expect(header.header.errors).toEqual([]);
    expect(readFileSync(join(directory, 'blobs', sha256)).equals(bytes)).toBe(true);
    expect(linksOf(directory)).toEqual([2]);
  });

  it('nothing is written through a link, and the call is recorded whole', () => {
    const directory = makeTempDir();
    const elsewhere = makeTempDir();
    symlinkSync(elsewhere, join(directory, 'blobs'));
    const { recorder } = recorderFor(directory);
    recorder.run(F, undefined, [w], () => undefined);
    expect(readdirSync(elsewhere)).toEqual([]);
    expect(valuesOf(openSession(directory))[0]?.tensors[0]?.values).toBe(sha256);
  });
});

describe('BlobStore', () => {
  const content = Buffer.from('content');
  const sha256 = createHash('sha256').update(content).digest('hex');

  function storeWith(...names: string[]): { session: string; blobs: BlobStore; dumps: string[] } {
    const session = makeTempDir();
    const dumps = names.map((name) => join(session, name));
    for (const dump of dumps) mkdirSync(dump);
    return { session, blobs: new BlobStore(session, 'tag'), dumps };
  }

  it('keeps content that a dump holds, and removes what none holds', () => {
    const { session, blobs, dumps } = storeWith('a', 'b');
    expect(dumps.map((dump) => blobs.keep(dump, sha256, content))).toEqual([7, 0]);
    for (const dump of dumps) {
      blobs.release(sha256);
      expect(blobsIn(session)).toEqual([sha256]);
      rmSync(dump, { recursive: true });
    }
    blobs.release(sha256);
    expect(blobsIn(session)).toEqual([]);
  });

  it('writes it again for a dump that comes after it went, whoever removed it', () => {
    const { session, blobs, dumps } = storeWith('a', 'b');
    const [first = '', second = ''] = dumps;
    blobs.keep(first, sha256, content);
    rmSync(first, { recursive: true });
    new BlobStore(session, 'other').release(sha256);
    expect(blobs.keep(second, sha256, content)).toBe(7);
    expect(linksOf(session)).toEqual([2]);
  });

  it('knows nothing of content that was never there', () => {
    const { session, blobs } = storeWith();
    blobs.release(sha256);
    expect(blobs.sizeOf(sha256)).toBeUndefined();
    expect(blobs.holds(sha256, content)).toBe(false);
    expect(blobsIn(session)).toEqual([]);
  });
});

/** One call of a program: which memory it gets, how it is viewed, and what it does to it. */
const call = fc.record({
  args: fc.array(
    fc.record({
      memory: fc.nat(3),
      rows: fc.integer({ min: 1, max: 3 }),
      offset: fc.nat(2),
      isStrided: fc.boolean(),
    }),
    { maxLength: 3 },
  ),
  writes: fc.option(fc.nat(3), { nil: undefined }),
  result: fc.option(fc.nat(3), { nil: undefined }),
});

test('any program is recorded with the same calls, layouts, sharing and values', () => {
  const COLUMNS = 4096;
  fc.assert(
    fc.property(
      fc.array(call, { minLength: 1, maxLength: 6 }),
      fc.constantFrom('0', '1'),
      (program, format) => {
        const [plain, deduped] = ['0', '1'].map((dedupe) => {
          const directory = makeTempDir();
          const env = { FIR_DUMP_DEDUPE: dedupe, FIR_DUMP_SAFETENSORS: format };
          const { recorder, header } = recorderFor(directory, env);
          const memory = [0, 1, 1, 2].map((seed) => new Float32Array(COLUMNS * 8).fill(seed));
          for (const { args, writes, result } of program) {
            const tensors = args.map(({ memory: at, rows, offset, isStrided }) => {
              const storage = new Storage(new Uint8Array(memory[at]?.buffer ?? new ArrayBuffer(0)));
              const shape = isStrided ? [COLUMNS, rows] : [rows, COLUMNS];
              const stride = isStrided ? [1, COLUMNS] : [COLUMNS, 1];
              return new Tensor({ dtype: 'float32', shape, stride, offset, storage });
            });
            recorder.run(F, undefined, tensors, () => {
              const written = writes === undefined ? undefined : memory[writes];
              if (written !== undefined) written[3] = (written[3] ?? 0) + 1;
              return result === undefined ? undefined : (tensors[result] ?? memory[result]);
            });
          }
          expect(header.header.errors).toEqual([]);
          const session = openSession(directory);
          expect(session.calls).toHaveLength(program.length);
          return valuesOf(session).map(({ tensors, facts }) => [facts['status'], tensors]);
        });
        expect(deduped).toEqual(plain);
      },
    ),
    { numRuns: 40 },
  );
}, 120_000);

test('recorders that drop their oldest calls leave each other’s content, and none that nobody needs', () => {
  const step = fc.record({ recorder: fc.nat(2), content: fc.nat(3), isResult: fc.boolean() });
  fc.assert(
    fc.property(
      fc.array(step, { minLength: 1, maxLength: 25 }),
      fc.integer({ min: 1, max: 5 }),
      (steps, maxCount) => {
        const directory = makeTempDir();
        const env = { FIR_DUMP_ON_LIMIT: 'rotate', FIR_DUMP_MAX_COUNT: String(maxCount) };
        const recorders = [0, 1, 2].map(() => recorderFor(directory, env));
        const contents = [0, 1, 2, 3].map(weight);
        const hashes = contents.map((content) => createHash('sha256').update(content).digest('hex'));
        for (const { recorder: at, content, isResult } of steps) {
          const tensor = contents[content];
          recorders[at]?.recorder.run(F, undefined, isResult ? [] : [tensor], () =>
            isResult ? tensor : undefined,
          );
          const session = openSession(directory);
          const values = valuesOf(session).flatMap(({ tensors }) => tensors.map((found) => found.values));
          expect(session.calls.length).toBeLessThanOrEqual(maxCount);
          expect(values.filter((value) => !hashes.includes(value))).toEqual([]);
          expect(blobsIn(directory)).toEqual([...new Set(values)].sort());
        }
        for (const { recorder, header } of recorders) {
          recorder.close();
          expect(header.header.errors).toEqual([]);
        }
      },
    ),
    { numRuns: 20 },
  );
}, 120_000);
