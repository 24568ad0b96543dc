import { afterAll, beforeAll, expect, it } from 'vitest';
import { repository } from '../../../support/fir.js';
import { pythonWithTorch, runPython } from '../../../support/python.js';
import { PythonWorkerClient } from '../../../support/python-worker.js';

let worker: PythonWorkerClient;
beforeAll(async () => {
  worker = await PythonWorkerClient.start();
});
afterAll(() => worker.close());

/** Class and text of the argument that a mark became, or the error. */
async function decoded(fields: object): Promise<unknown> {
  const input = { arg_0: { type: 'fir.redacted', ...fields } };
  const { outcome } = await worker.run({ function: 'describe', input: input as never });
  const { end, error, result } = outcome;
  if (end !== 'returned') return `${error?.code} ${error?.message}`;
  return (result as { items: { value: unknown }[] }).items[0]?.value;
}

it.each([
  [{ of: 'string', length: 5, hash: 'ab' }, "builtins.str 'ababa'"],
  [{ of: 'string', length: 0, hash: 'ab' }, "builtins.str ''"],
  [{ of: 'string', length: 2, hash: "';" }, "builtins.str 'xx'"],
  [{ of: 'bytes', length: 3, hash: 'cd' }, "builtins.bytes b'cdc'"],
  [{ of: 'bytearray', length: 1, hash: 'cd' }, "builtins.bytearray bytearray(b'c')"],
])('%j becomes something as long', async (fields, expected) => {
  expect(await decoded(fields)).toBe(expected);
});

it.each([
  [{ of: 'Config', length: 3 }, 'NOT_REPLAYABLE arg_0 holds a Config, which was redacted'],
  [{ of: 'string' }, 'NOT_REPLAYABLE arg_0 holds a string, which was redacted'],
  [{ of: 'string', length: -1 }, 'NOT_REPLAYABLE arg_0 holds a string, which was redacted'],
  [{ of: 'string', length: 2 ** 50 }, 'VALUE_INVALID arg_0 belongs to a value that is too large'],
])('nothing stands in for %j', async (fields, expected) => {
  expect(await decoded(fields)).toBe(expected);
});

it('a function is known by its signature without the texts in it', async () => {
  const code = [
    'from fir_replay.signatures import has_signature',
    "def f(a, layout='NHD', other=\"it's\"): pass",
    "print(has_signature(f, \"(a, layout='…', other='…')\"), has_signature(f, \"(a, layout='…')\"))",
    'print(has_signature(f, "(a, layout=\'HND\', other=\\"it\'s\\")"))',
  ];
  const path = `import sys; sys.path.insert(0, ${JSON.stringify(`${repository}/python`)})`;
  const printed = await runPython(await pythonWithTorch(), ['-c', [path, ...code].join('\n')]);
  expect(printed).toBe('True False\nFalse\n');
});
