import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { CallResult } from '../../src/core/model/verdict.js';
import { firBin, nodeUnderTest, runProcess, temporaryDirectory } from '../support/fir.js';
import { pythonWithTorch } from '../support/python.js';
import { tensorOf, writeSession } from '../support/session-writer.js';

const KERNELS = `
def double(x):
    return x * 2

def total(x):
    return x.sum()
`;

it('tensors that find no room on their way to the worker or back cost the calls that need them', async () => {
  const root = temporaryDirectory();
  const session = join(root, 'session');
  const temporary = temporaryDirectory();
  writeFileSync(join(root, 'kernels.py'), KERNELS);
  const large = tensorOf('float32', new Array(100_000).fill(1), [1000, 100]);
  const small = tensorOf('float32', [1, 2]);
  const doubled = tensorOf('float32', new Array(100_000).fill(2), [1000, 100]);
  const hundredThousand = tensorOf('float32', [100_000], []);
  writeSession(
    session,
    [
      // Laid out anew for the worker, in a file; large results come back in one; the others go as they are.
      {
        functionName: 'total',
        inputs: { arg_0: { ...large, stride: [1, 1000] } },
        outputs: { result: hundredThousand },
      },
      { functionName: 'double', inputs: { arg_0: large }, outputs: { result: doubled } },
      { functionName: 'total', inputs: { arg_0: large }, outputs: { result: hundredThousand } },
      {
        functionName: 'double',
        inputs: { arg_0: small },
        outputs: { result: tensorOf('float32', [2, 4]) },
      },
    ],
    { foreign: true },
  );
  // Files end after 100 or 200 KiB, as the shell counts: so does a full file system, for all that is written to it.
  const flags = [
    ...['--json', '--python', await pythonWithTorch(), '--pythonpath', root],
    ...['--allow', 'kernels', '--device', 'cpu'],
  ];
  const { code, stdout, stderr } = await runProcess(
    '/bin/sh',
    ['-c', 'ulimit -f 200; exec "$@"', 'sh', nodeUnderTest, firBin, 'replay', session, ...flags],
    { env: { TMPDIR: temporary, HOME: temporary } },
  );
  expect(stdout, stderr).toContain('"calls"');
  const calls: CallResult[] = JSON.parse(stdout).calls;
  expect(calls.map(({ verdict }) => verdict)).toEqual(['error', 'error', 'pass', 'pass']);
  expect(calls[0]?.reason).toContain("a tensor of 400000 bytes can't be passed to the worker: EFBIG");
  expect(calls[1]?.reason).toContain("a result of 400000 bytes can't be handed over");
  expect(code).toBe(1);
  expect(readdirSync(temporary).filter((name) => name.startsWith('fir-'))).toEqual([]);
}, 120_000);
