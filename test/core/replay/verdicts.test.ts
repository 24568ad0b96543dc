import { beforeAll, describe, expect, test } from 'vitest';
import {
  builtWorker,
  callOf,
  floats,
  replay,
  temporaryFolder,
  UNDEFINED,
} from '../../support/replay-session.js';
import { tensorOf, type WrittenCall, writeSession } from '../../support/session-writer.js';

beforeAll(builtWorker);

function session(...calls: WrittenCall[]): string {
  const dir = temporaryFolder('verdicts');
  writeSession(dir, calls);
  return dir;
}

const DOUBLED = { inputs: { arg_0: floats(1, 2) }, outputs: { result: floats(2, 4) } };

describe('a completed call', () => {
  test('passes when it gives the recorded tensor', async () => {
    const { results, summary } = await replay(session(callOf('double', DOUBLED)));
    expect(results).toMatchObject([
      {
        call: 1,
        function: 'double',
        pid: 4242,
        verdict: 'pass',
        outputs: [{ key: 'result' }, { key: 'arg_0', notes: ['argument after the call'] }],
      },
    ]);
    expect(results[0]?.durationUs).toBeGreaterThanOrEqual(0);
    expect(summary).toMatchObject({ calls: 1, pass: 1, outputsCompared: 2, exitCode: 0 });
  });

  test('is a mismatch when it gives another tensor, the same in three runs', async () => {
    const wrong = callOf('double', { inputs: { arg_0: floats(1, 2) }, outputs: { result: floats(2, 5) } });
    const { results, summary } = await replay(session(wrong));
    expect(results).toMatchObject([
      {
        verdict: 'mismatch',
        outputs: [{ key: 'result', mismatched: 1, maxAbs: { value: 1, index: [1] } }, {}],
      },
    ]);
    expect(results[0]?.repeats).toBeUndefined();
    expect(summary.exitCode).toBe(1);
  });

  test('is awaited when it returns a promise', async () => {
    const call = callOf('halve', {
      inputs: { arg_0: floats(2, 4) },
      outputs: { result: floats(1, 2) },
      fir: { async: true },
    });
    const { results } = await replay(session(call));
    expect(results).toMatchObject([{ verdict: 'pass' }]);
    expect(results[0]?.notes).toBeUndefined();
  });

  test('says when the recording was not asynchronous', async () => {
    const call = callOf('halve', { inputs: { arg_0: floats(2) }, outputs: { result: floats(1) } });
    const { results } = await replay(session(call));
    expect(results).toMatchObject([
      { verdict: 'pass', notes: ['the replay was asynchronous, the recording was not'] },
    ]);
  });

  test('is an error when it throws', async () => {
    const { results, summary } = await replay(session(callOf('refuse', { outputMetadata: { result: 1 } })));
    expect(results).toMatchObject([
      { verdict: 'error', error: { name: 'RangeError', message: 'refused' }, outputs: [] },
    ]);
    expect(results[0]?.error?.stack).toContain('ops.mjs');
    expect(summary.exitCode).toBe(1);
  });

  test('compares a returned scalar', async () => {
    const calls = [7, 8].map((result) =>
      callOf('sum', { inputs: { arg_0: floats(3, 4) }, outputMetadata: { result } }),
    );
    const { verdicts, results } = await replay(session(...calls));
    expect(verdicts).toEqual(['1 pass', '2 mismatch']);
    expect(results[1]?.outputs[0]).toMatchObject({ key: 'result', kind: 'value', actual: 7, expected: 8 });
  });

  test('compares the tensors and values of a structure by their places', async () => {
    const result = (scale: number) => ({
      type: 'dict',
      length: 2,
      items: [
        { key: 'scale', value: scale },
        { key: 'y', value: { type: 'torch.Tensor', tensor_key: 'result__value_1' } },
      ],
    });
    const calls = [
      { scale: 2, y: 4 },
      { scale: 3, y: 4 },
      { scale: 2, y: 5 },
    ].map(({ scale, y }) =>
      callOf('scaled', {
        inputs: { arg_0: floats(2) },
        outputs: { result__value_1: floats(y) },
        outputMetadata: { result: result(scale) },
      }),
    );
    const { results } = await replay(session(...calls));
    const outputs = results.map((one) => one.outputs.map(({ key, verdict }) => `${key} ${verdict}`));
    expect(outputs).toEqual([
      ['result pass', 'result__value_1 pass', 'arg_0 pass'],
      ['result mismatch', 'result__value_1 pass', 'arg_0 pass'],
      ['result pass', 'result__value_1 mismatch', 'arg_0 pass'],
    ]);
  });

  test('is a mismatch when no tensor comes back', async () => {
    const call = callOf('nothing', { outputs: { result: floats(1) } });
    const { results } = await replay(session(call));
    expect(results[0]).toMatchObject({
      verdict: 'mismatch',
      outputs: [{ key: 'result', verdict: 'mismatch' }],
    });
  });

  test('is a mismatch when something comes back where nothing did', async () => {
    const call = callOf('double', { inputs: { arg_0: floats(1) }, outputMetadata: UNDEFINED });
    const { results } = await replay(session(call));
    expect(results[0]).toMatchObject({ verdict: 'mismatch', outputs: [{ key: 'result' }, { key: 'arg_0' }] });
  });

  test('says that a result no longer shares memory with its argument', async () => {
    const call = callOf('copyOf', {
      inputs: { arg_0: { ...floats(1, 2), storage: 5 } },
      outputs: { result: { ...floats(1, 2), storage: 5, data: { sameAs: 'arg_0' } } },
    });
    const { results } = await replay(session(call));
    expect(results[0]).toMatchObject({
      verdict: 'pass',
      notes: ['result shared memory with arg_0 when it was recorded, and does not here'],
    });
  });
});

describe('arguments after a call', () => {
  const inPlace = (before: number, after: number | undefined, extra: object = {}) =>
    callOf('addInto', {
      inputs: { arg_0: floats(before, 1), arg_1: floats(1, 1) },
      outputMetadata: UNDEFINED,
      mutated: after === undefined ? {} : { arg_0: floats(after, 2) },
      ...extra,
    });

  test('end as they were changed in the recording', async () => {
    const { results } = await replay(session(inPlace(1, 2), inPlace(1, 3)));
    expect(results.map(({ verdict }) => verdict)).toEqual(['pass', 'mismatch']);
    expect(results[1]?.outputs).toMatchObject([
      { key: 'arg_0', mismatched: 1, notes: ['argument after the call'] },
      { key: 'arg_1', verdict: 'pass' },
    ]);
  });

  test('are a mismatch when a call that changed nothing changes them now', async () => {
    const { results } = await replay(session(inPlace(1, undefined)));
    expect(results[0]).toMatchObject({ verdict: 'mismatch', outputs: [{ key: 'arg_0', mismatched: 2 }, {}] });
  });

  test('are not looked at when they are scratch or only read, and unchecked when they changed while pending', async () => {
    const roles = inPlace(1, undefined, {
      fir: { mutated_tensor_keys: [], roles: { arg_0: 'scratch', arg_1: 'in' } },
    });
    const pending = inPlace(1, undefined, {
      fir: { mutated_tensor_keys: [], mutated_pending_keys: ['arg_0'] },
    });
    const { results } = await replay(session(roles, pending));
    expect(results).toMatchObject([
      { verdict: 'unchecked', outputs: [] },
      { verdict: 'unchecked', reason: 'argument changed while the call was pending (arg_0)' },
    ]);
  });

  test('that are only written to are poisoned before, and compared after', async () => {
    const call = callOf('fill', {
      inputs: { arg_0: { dtype: 'float32', shape: [3], host: 'Float32Array' } },
      mutated: { arg_0: floats(9, 9, 9) },
      outputMetadata: { result: true },
      fir: { mutated_tensor_keys: ['arg_0'], roles: { arg_0: 'out' } },
    });
    const { results } = await replay(session(call));
    expect(results[0]).toMatchObject({ verdict: 'pass', outputs: [{ key: 'result' }, { key: 'arg_0' }] });
  });

  test('that are no tensors end as recorded too', async () => {
    const list = (...items: number[]) => ({ type: 'list', length: items.length, items });
    const push = (expected: object) =>
      callOf('push', {
        inputMetadata: { arg_0: list(1), arg_1: 2 },
        outputMetadata: UNDEFINED,
        fir: { mutated_tensor_keys: [], ...expected },
      });
    const calls = [
      push({ mutated_arguments: { arg_0: list(1, 2) } }),
      push({ mutated_arguments: { arg_0: list(1, 3) } }),
      push({}),
      push({ mutated_arguments: { arg_0: list(1, 3) }, mutated_pending_arguments: ['arg_0'] }),
    ];
    const { verdicts } = await replay(session(...calls));
    expect(verdicts).toEqual(['1 pass', '2 mismatch', '3 mismatch', '4 unchecked']);
  });
});

describe('a call with nothing to compare', () => {
  test('is unchecked, with the reason', async () => {
    const { mutated_tensor_keys: _, ...unlooked } = callOf('nothing').fir ?? {};
    const calls = [
      { ...callOf('nothing', { inputs: { arg_0: floats(1) }, outputMetadata: UNDEFINED }), fir: unlooked },
      callOf('nothing', { outputMetadata: UNDEFINED }),
      callOf('nothing'),
      callOf('nothing', { outputMetadata: { result: { type: 'function', repr: '[Function: f]' } } }),
    ];
    const { results, summary } = await replay(session(...calls));
    expect(results.map(({ verdict, reason }) => [verdict, reason])).toEqual([
      [
        'unchecked',
        'it returned nothing, and nobody looked for changes to its arguments when it was recorded',
      ],
      ['unchecked', 'it returned nothing that can be compared'],
      ['unchecked', 'no output was recorded'],
      ['mismatch', undefined],
    ]);
    expect(summary.exitCode).toBe(1);
  });

  test('is unchecked where every output is ignored', async () => {
    const options = {
      comparison: { nan: 'equal' as const, rules: [], as: [], ignore: [{ pattern: '*', key: '*' }] },
    };
    const { results, summary } = await replay(session(callOf('double', DOUBLED)), options);
    expect(results).toMatchObject([{ verdict: 'unchecked', reason: 'every output is left out by --ignore' }]);
    expect(summary.exitCode).toBe(3);
  });
});

describe('a call that failed when it was recorded', () => {
  const failed = (functionName: string, message: string) =>
    callOf(functionName, { status: 'failed', fir: { error: { name: 'RangeError', message } } });

  test('passes as reproduced when it fails the same way', async () => {
    const { results, summary } = await replay(session(failed('refuse', 'refused')));
    expect(results).toMatchObject([{ verdict: 'pass', reproduced: true, outputs: [{ key: 'error' }] }]);
    expect(summary).toMatchObject({ pass: 1, reproduced: 1, exitCode: 0 });
  });

  test('is a mismatch when it fails otherwise, or not at all', async () => {
    const { results } = await replay(session(failed('refuse', 'out of range'), failed('nothing', 'refused')));
    expect(results.map(({ verdict, reason }) => [verdict, reason])).toEqual([
      ['mismatch', 'it failed with RangeError: refused, recorded RangeError: out of range'],
      ['mismatch', 'the recorded call failed with RangeError: refused, the replay did not'],
    ]);
  });
});

describe('a call that never finished when it was recorded', () => {
  test('is run, and never a pass', async () => {
    const unfinished = (functionName: string) => callOf(functionName, { status: 'inputs_saved' });
    const { results, summary } = await replay(session(unfinished('nothing'), unfinished('refuse')));
    expect(results.map(({ verdict, reason }) => [verdict, reason])).toEqual([
      ['unchecked', 'it never finished when it was recorded; the replay ended well'],
      ['unchecked', 'it never finished when it was recorded; the replay ended with RangeError: refused'],
    ]);
    expect(summary.exitCode).toBe(3);
  });
});

describe('a call that differs from run to run', () => {
  test('is unstable, with the spread', async () => {
    const call = callOf('random', { inputs: { arg_0: floats(1, 2) }, outputs: { result: floats(0, 0) } });
    const { results, summary } = await replay(session(call));
    expect(results).toMatchObject([
      { verdict: 'unstable', repeats: { runs: 3, differing: [{ key: 'result', elements: 2 }] } },
    ]);
    expect(results[0]?.reason).toMatch(/^differs from run to run: result in 2 of 2 elements, spread [\d.]+$/);
    expect(summary).toMatchObject({ unstable: 1, exitCode: 3 });
  });

  test('passes within its tolerance, and says where the runs differ when asked for more', async () => {
    const call = callOf('nearly', { inputs: { arg_0: tensorOf64(1) }, outputs: { result: tensorOf64(2) } });
    const { results } = await replay(session(call), {
      repeat: 5,
      comparison: { nan: 'equal', as: [], ignore: [], rules: [{ pattern: '*', rtol: 0, atol: 1e-6 }] },
    });
    expect(results).toMatchObject([
      { verdict: 'pass', repeats: { runs: 5, differing: [{ key: 'result', elements: 1 }] } },
    ]);
  });

  test('has no differences when it is deterministic', async () => {
    const { results } = await replay(session(callOf('double', DOUBLED)), { repeat: 5 });
    expect(results).toMatchObject([{ verdict: 'pass', repeats: { runs: 5, differing: [] } }]);
  });
});

function tensorOf64(value: number) {
  return { ...tensorOf('float64', [value]), host: 'Float64Array' };
}
