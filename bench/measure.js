import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Runs a program and returns the last number that it prints. */
export function numberFrom(command, args, env = {}) {
  const { status, stdout, stderr } = spawnSync(command, args, {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}: ${stderr}`);
  return Number(stdout.trim().split('\n').at(-1));
}

/** Wall-clock milliseconds of a whole process. */
export function wallMs(command, args, env = {}) {
  const start = process.hrtime.bigint();
  spawnSync(command, args, { stdio: 'ignore', env: { ...process.env, ...env } });
  return Number(process.hrtime.bigint() - start) / 1e6;
}

function median(values) {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

/** Runs both in turn and gives the median of each and of the ratio pair by pair, so that a drifting machine matters less. */
export function compare(measureA, measureB, rounds) {
  const pairs = Array.from({ length: rounds }, () => [measureA(), measureB()]);
  return {
    a: median(pairs.map(([a]) => a)),
    b: median(pairs.map(([, b]) => b)),
    ratio: median(pairs.map(([a, b]) => a / b)),
  };
}

/** Calls `use` with a directory on the given file system, removed afterwards. */
export function inDirectory(parent, use) {
  const directory = mkdtempSync(join(parent, 'fir-bench-'));
  try {
    return use(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
