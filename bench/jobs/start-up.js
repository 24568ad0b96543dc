/** How long commands, and programs with the recorder preloaded, take to start. */
import { join } from 'node:path';
import { compare, wallMs } from '../measure.js';
import { fir, root } from '../places.js';

const ROUNDS = 25;

export function measureStartUp(row) {
  const bareNode = () => wallMs(process.execPath, ['-e', '0']);
  const startUp = (...args) => compare(() => wallMs(process.execPath, [fir, ...args]), bareNode, ROUNDS);
  row('fir --version', 'node -e 0', startUp('--version'), 'ms');
  row('fir --help', 'node -e 0', startUp('--help'), 'ms');
  row('fir inspect, of a path that is missing', 'node -e 0', startUp('inspect', '/nonexistent'), 'ms');
  const preload = {
    NODE_OPTIONS: `--require "${join(root, 'dist', 'preload', 'register.cjs')}"`,
    FIR_LOGLEVEL: '10',
  };
  row(
    'a preloaded program that records nothing',
    'the same without',
    compare(() => wallMs(process.execPath, ['-e', '0'], preload), bareNode, ROUNDS),
    'ms',
  );
}
