// Places for results that run full while they are written: a limit on the size of files stands for the file system's end.
import { chmodSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { pythonWithTorch } from '../../../support/python.js';
import { floatsOf, PythonWorkerClient } from '../../../support/python-worker.js';
import { makeTempDir } from '../../../support/temp-dir.js';

const LARGE = { function: 'give', input: { arg_0: 'large' } };

/** A worker whose files end after 100 or 200 KiB, as the shell counts. */
async function startLimited(): Promise<PythonWorkerClient> {
  const interpreter = join(makeTempDir(), 'python');
  writeFileSync(interpreter, `#!/bin/sh\nulimit -f 200\nexec '${await pythonWithTorch()}' "$@"\n`);
  chmodSync(interpreter, 0o700);
  const worker = new PythonWorkerClient(interpreter);
  onTestFinished(async () => {
    await worker.close();
  });
  return worker;
}

it('a result that its place can hold in part is refused, what was written of it goes, and the worker lives on', async () => {
  const worker = await startLimited();
  const [shared, fallback] = [makeTempDir(), makeTempDir()];
  worker.send(worker.setup({ shared, fallback }));
  expect(JSON.parse((await worker.frame()).json).type).toBe('ready');
  for (let attempt = 0; attempt < 2; attempt += 1) {
    const { outcome } = await worker.run(LARGE);
    expect(outcome).toMatchObject({ end: 'refused', error: { code: 'PYTHON_ERROR' } });
    expect(outcome.error?.message).toBe(
      `a result of 400000 bytes can't be handed over: ${fallback}: File too large`,
    );
    expect([readdirSync(shared), readdirSync(fallback)]).toEqual([[], []]);
  }
  expect(floatsOf(await worker.run({ function: 'give', input: { arg_0: 'scalar' } }))).toEqual([2.5]);
});
