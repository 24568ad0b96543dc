import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Runs a program to its end and returns what it printed. Throws where it fails. */
export function outputOf(command, args, env = {}) {
  const { status, stdout, stderr } = spawnSync(command, args, {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    env: { ...process.env, ...env },
  });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}: ${stderr}`);
  return stdout;
}

/** Runs a program and returns the last number that it prints. */
export function numberFrom(command, args, env = {}) {
  return Number(outputOf(command, args, env).trim().split('\n').at(-1));
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
  return summarize(Array.from({ length: rounds }, () => [measureA(), measureB()]));
}

/** The median of each side of pairs of figures, and of their ratio pair by pair. */
export function summarize(pairs) {
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
