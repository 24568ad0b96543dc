import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { repository, temporaryDirectory } from '../support/fir.js';
import { pythonWithTorch, runPython } from '../support/python.js';
import { replayJson } from '../support/replay-json.js';
import { tensorOf, writeSession } from '../support/session-writer.js';
import { sharedDirectory } from './captured.js';
import { callsOf, Probe, SETUP_MS, TIMEOUT_MS, told } from './flashinfer-probe.js';

const probe = new Probe(sharedDirectory());
let session = '';

beforeAll(async () => {
  await probe.setUp();
  session = await probe.record('session', ['numbers']);
}, SETUP_MS);

describe('a replay that differs', () => {
  test(
    'says by how much, in numbers that neither wrap nor overflow, and fails',
    async () => {
      const { calls, code } = await probe.replay(session, {
        changed: 'numbers',
        flags: ['--include', 'numbers'],
      });
      const differences = calls.map(({ verdict, outputs: [output] }) => [
        verdict,
        output?.dtype,
        output?.mismatched,
        output?.maxAbs?.value,
      ]);
      expect(differences).toEqual([
        // Integers differ where they differ, however large they are.
        ['mismatch', 'int64', 1, 45],
        ['mismatch', 'int64', 1, 2 ** 49],
        // Within an absolute tolerance of 1e-3.
        ['pass', 'float32', 0, expect.closeTo(9e-4, 8)],
        ['mismatch', 'bool', 1, undefined],
        ['mismatch', 'uint8', 1, 2],
        ['mismatch', 'int8', 1, 200],
        ['mismatch', 'float16', 1, 131_008],
      ]);
      expect(code).toBe(1);
    },
    TIMEOUT_MS,
  );

  test(
    'in small numbers is found with the finer tolerances',
    async () => {
      const flags = ['--include', 'numbers', '--call', '3', '--preset', 'default'];
      const { verdicts, code } = await probe.replay(session, { changed: 'numbers', flags });
      expect([verdicts, code]).toEqual([['3 mismatch'], 1]);
    },
    TIMEOUT_MS,
  );
});

describe('a replay that does not differ', () => {
  test(
    'passes with NaN at the same places, in complex numbers too, unless NaN is to be unequal',
    async () => {
      const flags = ['--include', 'not_numbers'];
      const equal = await probe.replay(session, { flags });
      expect([told(equal), equal.code]).toEqual([['not_numbers pass'], 0]);
      const unequal = await probe.replay(session, { flags: [...flags, '--nan', 'unequal'] });
      expect([told(unequal), unequal.code]).toEqual([['not_numbers mismatch'], 1]);
      const [call] = callsOf(unequal, 'not_numbers');
      expect(call?.outputs.map(({ verdict }) => verdict)).toEqual(['mismatch', 'mismatch']);
    },
    TIMEOUT_MS,
  );

  test(
    'runs on the device that there is, where none is named',
    async () => {
      const { calls, code } = await probe.replay(session, { flags: ['--device', 'auto'] });
      expect([new Set(calls.map(({ verdict }) => verdict)), code]).toEqual([new Set(['pass']), 0]);
    },
    TIMEOUT_MS,
  );
});

describe('float8', () => {
  /** A session that records one call of `scale`, whose result is 1, 1.125 and NaN in 8 bits. */
  function float8Session(): string {
    const dir = join(temporaryDirectory(), 'session');
    const bytes = Uint8Array.of(0x38, 0x39, 0x7f);
    writeSession(
      dir,
      [
        {
          functionName: 'scale',
          module: 'fir_probe',
          inputs: { arg_0: { dtype: 'float8_e4m3fn', shape: [3], bytes } },
          outputs: { result: { dtype: 'float8_e4m3fn', shape: [3], bytes } },
        },
      ],
      { foreign: true },
    );
    return dir;
  }

  test.each([
    ['the same', 0, [], 'pass'],
    ['a step away', 1, [], 'mismatch'],
    ['a step away, which is allowed', 1, ['--ulp', '1'], 'pass'],
    ['two steps away, of which one is allowed', 2, ['--ulp', '1'], 'mismatch'],
  ])('is compared step by step, whatever torch can do with it: %s', async (_, steps, flags, verdict) => {
    const file = join(temporaryDirectory(), 'mine.mjs');
    const library = JSON.stringify(join(repository, 'dist/index.js'));
    writeFileSync(
      file,
      `import { Tensor } from ${library};
       export const scale = (x) => {
         const bytes = x.contiguousBytes().slice();
         bytes[1] += ${steps};
         return Tensor.fromBytes('float8_e4m3fn', x.shape, bytes);
       };`,
    );
    const target = ['--target', `scale=${file}#scale`];
    const { calls } = await replayJson(float8Session(), [...target, ...flags]);
    expect(calls).toEqual([expect.objectContaining({ verdict })]);
    expect(calls[0]?.outputs[0]).toMatchObject({ dtype: 'float8_e4m3fn', elements: 3, nan: 1 });
  });

  test(
    'that the installed torch lacks makes the call one that can not be run, and says so',
    async () => {
      const has = 'import torch; print(hasattr(torch, "float8_e4m3fn"), end="")';
      const isThere = (await runPython(await pythonWithTorch(), ['-c', has])) === 'True';
      const file = join(temporaryDirectory(), 'mine.py');
      writeFileSync(file, 'def scale(x):\n    return x\n');
      const flags = ['--target', `scale=${file}#scale`];
      const { calls } = await probe.replay(float8Session(), { flags });
      expect(calls.map(({ verdict }) => verdict)).toEqual([isThere ? 'pass' : 'skipped']);
      expect(calls[0]?.reason ?? '').toMatch(isThere ? /^$/ : /has no tensors of float8_e4m3fn/);
    },
    TIMEOUT_MS,
  );
});

test(
  'memory does not grow with the number of calls',
  async () => {
    // 40 calls of 4 MiB in and 4 MiB out: the function fails where its process has grown by 48 MiB.
    const path = await probe.record('memory', ['memory']);
    const document = await probe.replay(path, { changed: 'memory' });
    expect(document.calls.filter(({ verdict }) => verdict !== 'pass')).toEqual([]);
    expect(document.summary).toMatchObject({ pass: 40, exitCode: 0 });
  },
  TIMEOUT_MS,
);

describe('a recorded GPU', () => {
  test(
    'that is not here is told once, with what takes its place',
    async () => {
      const dir = join(temporaryDirectory(), 'session');
      const tensor = { ...tensorOf('float32', [1, 2]), device: 'cuda:7' };
      const { device, shape } = tensor;
      const node = { type: 'torch.Tensor', shape, dtype: 'torch.float32', stride: [1], device };
      const call = {
        functionName: 'total',
        module: 'fir_probe',
        inputs: { arg_0__0: tensor },
        inputMetadata: {
          arg_0: { type: 'list', length: 1, items: [{ ...node, tensor_key: 'arg_0__0' }], truncated: false },
        },
        outputs: { result: tensor },
      };
      writeSession(dir, [call, call], { foreign: true });
      const file = join(temporaryDirectory(), 'mine.py');
      writeFileSync(
        file,
        'def total(tensors):\n    assert tensors[0].device.type == "cpu"\n    return tensors[0]\n',
      );
      const { calls, code } = await probe.replay(dir, { flags: ['--target', `total=${file}#total`] });
      expect(calls.map(({ verdict, notes }) => [verdict, notes])).toEqual([
        ['pass', expect.arrayContaining(['device: cuda:7 -> cpu'])],
        ['pass', undefined],
      ]);
      expect(code).toBe(0);
    },
    TIMEOUT_MS,
  );
});
