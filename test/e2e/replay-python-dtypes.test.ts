// Tensors of types that some versions of torch lack: they are compared, or the reason names the version and the type.
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, it } from 'vitest';
import type { DtypeName } from '../../src/core/model/dtype.js';
import type { CallResult } from '../../src/core/model/verdict.js';
import { pythonWithTorch } from '../support/python.js';
import { replayJson } from '../support/replay-json.js';
import { type WrittenTensor, writeSession } from '../support/session-writer.js';
import { sharedDirectory } from './captured.js';

const TYPES = ['float8_e4m3fn', 'float8_e5m2', 'uint16', 'bfloat16'] as const;

const KERNELS = `
import torch

def same(x):
    return x.clone()

def flipped(x):
    """Differs in the last bit of one element."""
    y = x.clone()
    y.view(torch.uint8)[64] ^= 1
    return y
`;

const root = sharedDirectory();
const session = join(root, 'session');
let torch: { version: string; types: string[] };
let replayed: CallResult[];

/** Every byte once: infinities, NaN and zeros of either sign are among them. */
function everyByte(dtype: DtypeName): WrittenTensor {
  const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
  return { dtype, shape: [dtype.startsWith('float8') ? 256 : 128], bytes };
}

beforeAll(async () => {
  const python = await pythonWithTorch();
  const program = `
import json, torch
print(json.dumps({'version': torch.__version__, 'types': [n for n in ${JSON.stringify(TYPES)} if hasattr(torch, n)]}))`;
  torch = JSON.parse((await promisify(execFile)(python, ['-c', program])).stdout);
  writeFileSync(join(root, 'kernels.py'), KERNELS);
  const calls = TYPES.flatMap((dtype) =>
    ['same', 'flipped'].map((functionName) => ({
      functionName,
      inputs: { arg_0: everyByte(dtype) },
      outputs: { result: everyByte(dtype) },
    })),
  );
  writeSession(session, calls, { foreign: true });
  const flags = ['--python', python, '--pythonpath', root, '--allow', 'kernels', '--device', 'cpu'];
  replayed = (await replayJson(session, flags)).calls;
}, 900_000);

it.each(TYPES.map((dtype, index) => ({ dtype, index })))('$dtype', ({ dtype, index }) => {
  const [same, flipped] = replayed.slice(2 * index);
  if (!torch.types.includes(dtype)) {
    const reason = `not replayable: torch ${torch.version} has no tensors of ${dtype} (arg_0)`;
    expect([same, flipped]).toMatchObject([
      { verdict: 'skipped', reason },
      { verdict: 'skipped', reason },
    ]);
    return;
  }
  expect(same).toMatchObject({ verdict: 'pass', outputs: [{ mismatched: 0 }] });
  expect(flipped).toMatchObject({ verdict: 'mismatch', outputs: [{ mismatched: 1 }] });
});
