import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { pythonWith, SAFETENSORS_PACKAGES } from '../../support/python.js';

const SCRIPT = fileURLToPath(new URL('official.py', import.meta.url));

/** Runs one command of `official.py` in an environment that has the official library. */
export async function askOfficial<Answer>(command: string, request: object): Promise<Answer> {
  const python = await pythonWith(SAFETENSORS_PACKAGES);
  const done = spawnSync(python, [SCRIPT, command], {
    input: JSON.stringify(request),
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  if (done.status !== 0)
    throw new Error(`official.py ${command} failed: ${done.stderr || done.error?.message}`);
  return JSON.parse(done.stdout) as Answer;
}
