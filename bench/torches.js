import { spawnSync } from 'node:child_process';

const PROBE = `
import inspect, torch
print(torch.__version__.split("+")[0])
print(int("mmap" in inspect.signature(torch.load).parameters))
`;

/**
 * Python interpreters with a torch of their own: the one that FIR_TEST_PYTHON names, python3, the system's; each
 * version of torch once. Throws where there is none.
 */
export function findTorches() {
  const found = new Map();
  for (const python of [process.env.FIR_TEST_PYTHON, 'python3', '/usr/bin/python3']) {
    if (python === undefined) continue;
    const { status, stdout } = spawnSync(python, ['-c', PROBE], { encoding: 'utf8' });
    if (status !== 0) continue;
    const [version, canMap] = stdout.trim().split('\n');
    if (!found.has(version)) found.set(version, { python, version, canMap: canMap === '1' });
  }
  if (found.size > 0) return [...found.values()];
  throw new Error('no Python with torch: install one, or name it in FIR_TEST_PYTHON');
}
