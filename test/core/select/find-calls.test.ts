import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Verdict } from '../../../src/core/model/verdict.js';
import { type CallConditions, findCalls, parseMoment, parseShape } from '../../../src/core/select/index.js';
import { openSession } from '../../../src/core/session/index.js';
import { tensorOf, type WrittenCall, writeSession } from '../../support/session-writer.js';
import { makeTempDir } from '../../support/temp-dir.js';

/** What the writer of the sessions gives the first call; each further one begins a millisecond later. */
const BEGIN = '2026-11-24T14:32:17.000';

async function select(calls: WrittenCall[], conditions: CallConditions): Promise<number[]> {
  const directory = makeTempDir();
  writeSession(directory, calls);
  const found = await findCalls(openSession(directory), conditions);
  expect(found.unreadable).toEqual({ calls: 0 });
  return found.calls.map(({ number }) => number);
}

const specials: WrittenCall[] = [
  { functionName: 'f', inputs: { arg_0: tensorOf('float32', [1, 2]) } },
  { functionName: 'f', inputs: { arg_0: tensorOf('float32', [1, Number.NaN]) } },
  { functionName: 'f', outputs: { result: tensorOf('bfloat16', [Number.NEGATIVE_INFINITY]) } },
  {
    functionName: 'f',
    inputs: { arg_0: tensorOf('float64', [0]) },
    mutated: { arg_0: tensorOf('float64', [Number.NaN]) },
  },
  {
    functionName: 'f',
    inputs: {
      arg_0: tensorOf('float16', [Number.POSITIVE_INFINITY]),
      arg_1: tensorOf('float8_e4m3fn', [Number.NaN, 1]),
    },
  },
  { functionName: 'f', inputs: { arg_0: tensorOf('int32', [-1, 0x7fc00000]) } },
  {
    functionName: 'f',
    inputs: { arg_0: { dtype: 'float32', shape: [4] } },
    fir: { roles: { arg_0: 'out' } },
  },
];

describe('values', () => {
  test.each<[string, CallConditions, number[]]>([
    ['a NaN in arguments, results or what became of an argument', { hasNan: true }, [2, 4, 5]],
    ['an infinity of either sign', { hasInf: true }, [3, 5]],
    ['both, in whichever tensors', { hasNan: true, hasInf: true }, [5]],
    ['a NaN in the last two of all that have one', { hasNan: true, last: 2 }, [4, 5]],
    ['what cheaper conditions left', { hasNan: true, call: [{ first: 3, last: 4 }] }, [4]],
  ])('%s', async (_, conditions, expected) => {
    expect(await select(specials, conditions)).toEqual(expected);
  });

  test('are not looked at where a cheaper condition decides, or enough was found', async () => {
    const directory = makeTempDir();
    const dumps = writeSession(directory, specials);
    for (const { path } of dumps.slice(0, 4)) writeFileSync(join(path, 'inputs.safetensors'), 'torn');
    const session = openSession(directory);
    const found = await findCalls(session, { hasNan: true, last: 1 });
    expect(found.calls.map(({ number }) => number)).toEqual([5]);
    expect(found.unreadable).toEqual({ calls: 0 });
    const all = await findCalls(session, { hasNan: true });
    // The end state of call 4 stands in a file of its own.
    expect(all.calls.map(({ number }) => number)).toEqual([4, 5]);
    expect(all.unreadable).toMatchObject({ calls: 3, first: { call: 1 } });
  });

  test('that can not be read are told, and the call is left out', async () => {
    const directory = makeTempDir();
    const [first] = writeSession(directory, specials.slice(0, 2));
    rmSync(first?.path ?? '', { recursive: true });
    const { calls, unreadable } = await findCalls(openSession(directory), { dtype: ['float32'] });
    expect(calls.map(({ number }) => number)).toEqual([2]);
    expect(unreadable.calls).toBe(1);
    expect(unreadable.first?.call).toBe(1);
  });

  test('of a long walk can be interrupted', async () => {
    const directory = makeTempDir();
    writeSession(directory, specials);
    const walk = findCalls(
      openSession(directory),
      { hasNan: true },
      {
        signal: AbortSignal.abort(),
        onProgress: () => {
          for (const begin = performance.now(); performance.now() - begin < 40; );
        },
      },
    );
    await expect(walk).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }));
  });
});

const shapes: WrittenCall[] = [
  { functionName: 'f', inputs: { arg_0: tensorOf('float32', Array(8).fill(1), [2, 4]) } },
  {
    functionName: 'f',
    inputs: { arg_0: tensorOf('float16', [1, 2], [2]) },
    outputs: { result: tensorOf('float32', [1, 2], [1, 2]) },
  },
  { functionName: 'f', outputs: { result: tensorOf('float16', Array(8).fill(1), [2, 4]) } },
  { functionName: 'f', outputs: { result: tensorOf('float16', [1], []) } },
  { functionName: 'f' },
];

describe('dtypes, shapes and sizes', () => {
  test.each<[string, CallConditions, number[]]>([
    ['a dtype of an argument or a result', { dtype: ['float16'] }, [2, 3, 4]],
    ['one of two dtypes', { dtype: ['float16', 'float32'] }, [1, 2, 3, 4]],
    ['a shape', { shape: [parseShape('2,4')] }, [1, 3]],
    ['a shape with any size at a place', { shape: [parseShape('*,2')] }, [2]],
    ['one of two shapes', { shape: [parseShape('[]'), parseShape('2')] }, [2, 4]],
    ['dtype and shape of the same tensor', { dtype: ['float16'], shape: [parseShape('*,*')] }, [3]],
    ['at least so many bytes in all', { minSize: 12 }, [1, 2, 3]],
    ['at most so many', { maxSize: 12 }, [2, 4, 5]],
    ['between two sizes', { minSize: 3, maxSize: 16 }, [2, 3]],
  ])('%s', async (_, conditions, expected) => {
    expect(await select(shapes, conditions)).toEqual(expected);
  });

  test('count a tensor that is the same as another once', async () => {
    const same = {
      ...tensorOf('float32', [1, 2]),
      data: { sameAs: 'arg_0' },
    };
    const calls = [
      { functionName: 'f', inputs: { arg_0: tensorOf('float32', [1, 2]) }, outputs: { result: same } },
    ];
    expect(await select(calls, { maxSize: 8 })).toEqual([1]);
  });

  test('are found of FlashInfer dumps too', async () => {
    const path = new URL('../../fixtures/flashinfer/stateless_pt', import.meta.url).pathname;
    const session = openSession(path);
    const named = async (conditions: CallConditions) =>
      (await findCalls(session, conditions)).calls.map(({ functionName }) => functionName);
    expect(await named({ hasNan: true })).toEqual(['make_nan']);
    expect(new Set(await named({ dtype: ['complex64'] }))).toEqual(new Set(['rotate']));
  });
});

describe('times', () => {
  const calls: WrittenCall[] = Array.from({ length: 5 }, () => ({ functionName: 'f' }));

  test.each<[string, CallConditions, number[]]>([
    ['begun then or later', { since: parseMoment(`${BEGIN.slice(0, -1)}2Z`) }, [3, 4, 5]],
    ['begun then or before', { until: parseMoment(`${BEGIN.slice(0, -1)}2Z`) }, [1, 2, 3]],
    ['in the time before the last call', { since: parseMoment('1ms') }, [4, 5]],
    ['up to so long before the last call', { until: parseMoment('3ms') }, [1, 2]],
    ['after all', { since: parseMoment('2027-01-01') }, []],
  ])('%s', async (_, conditions, expected) => {
    expect(await select(calls, conditions)).toEqual(expected);
  });
});

describe('the last ones', () => {
  const calls: WrittenCall[] = ['a', 'b', 'a', 'b', 'a'].map((functionName) => ({ functionName }));

  test.each<[CallConditions, number[]]>([
    [{ last: 2 }, [4, 5]],
    [{ last: 2, include: ['a'] }, [3, 5]],
    [{ last: 9, include: ['a'] }, [1, 3, 5]],
    [{ last: 0 }, []],
  ])('%j', async (conditions, expected) => {
    expect(await select(calls, conditions)).toEqual(expected);
  });
});

describe('verdicts of a replay', () => {
  function sessionWithReport(verdicts: readonly Verdict[]) {
    const directory = join(makeTempDir(), 'session');
    mkdirSync(directory);
    const dumps = writeSession(
      directory,
      verdicts.map(() => ({ functionName: 'f' })),
    );
    const report = join(makeTempDir(), 'report.json');
    const calls = dumps.map(({ dump }, index) => ({ call: index + 1, dump, verdict: verdicts[index] }));
    writeFileSync(report, JSON.stringify({ format: 'fir.replay/1', calls }));
    return { session: openSession(directory), report, dumps };
  }

  test('select by the dumps that they are about', async () => {
    const { session, report } = sessionWithReport(['pass', 'mismatch', 'error', 'mismatch']);
    const found = await findCalls(session, {
      verdicts: { report, verdicts: ['mismatch', 'error'] },
      last: 2,
    });
    expect(found.calls.map(({ number }) => number)).toEqual([3, 4]);
  });

  test('of a larger session serve for a part of it', async () => {
    const { session, report } = sessionWithReport(['pass', 'mismatch']);
    const { calls } = JSON.parse(readFileSync(report, 'utf8'));
    calls.unshift({ call: 1, dump: 'gone', verdict: 'mismatch' });
    writeFileSync(report, JSON.stringify({ format: 'fir.replay/1', calls }));
    const found = await findCalls(session, { verdicts: { report, verdicts: ['mismatch'] } });
    expect(found.calls.map(({ number }) => number)).toEqual([2]);
  });

  test('of another session are refused', async () => {
    const { session } = sessionWithReport(['pass']);
    const report = join(makeTempDir(), 'report.json');
    const calls = [{ call: 1, dump: '20200101_000000_000_pid1_g_call0001', verdict: 'pass' }];
    writeFileSync(report, JSON.stringify({ format: 'fir.replay/1', calls }));
    await expect(findCalls(session, { verdicts: { report, verdicts: ['pass'] } })).rejects.toThrow(
      /reports on another session/,
    );
  });

  test.each([
    ['{"format":"fir.inspect/1","calls":[]}', 'USAGE'],
    ['{"format":"fir.replay/1"}', 'USAGE'],
    ['not JSON', 'USAGE'],
    ['[]', 'USAGE'],
    [undefined, 'NOT_FOUND'],
  ])('are not taken from %j', async (text, code) => {
    const { session } = sessionWithReport(['pass']);
    const report = join(makeTempDir(), 'report.json');
    if (text !== undefined) writeFileSync(report, text);
    await expect(findCalls(session, { verdicts: { report, verdicts: ['pass'] } })).rejects.toThrow(
      expect.objectContaining({ code }),
    );
  });
});
