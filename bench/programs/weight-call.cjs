// Twenty calls with the same weight of 16 MiB and an activation of 4 KiB, recorded. Prints milliseconds a call, median, from
// the second call on, or with `bytes` what the session takes on disk.
const fs = require('node:fs');
const { createRequire } = require('node:module');
const { join } = require('node:path');

const CALLS = 20;
const [mode, kind] = process.argv.slice(2);
const directory = process.env.FIR_DUMP_DIR;
createRequire(__filename)(join(__dirname, '..', '..', 'dist', 'preload', 'recorder.cjs'));
const weight = new Float32Array(4 * 1024 * 1024).fill(1.5);
const roles = kind === 'roles' ? { arg_0: 'in', arg_1: 'in' } : {};
const project = globalThis[Symbol.for('fir.recorder/1')].recordable((values) => values[0], { roles });

const times = [];
for (let call = 0; call < CALLS; call += 1) {
  const values = new Float32Array(1024).fill(call);
  const start = process.hrtime.bigint();
  project(values, weight);
  times.push(Number(process.hrtime.bigint() - start) / 1e6);
}

function bytesOf() {
  const sizes = new Map();
  for (const name of fs.readdirSync(directory, { recursive: true })) {
    const stats = fs.statSync(join(directory, name));
    if (stats.isFile()) sizes.set(stats.ino, stats.size);
  }
  return [...sizes.values()].reduce((sum, size) => sum + size, 0) / 2 ** 20;
}

console.log(mode === 'bytes' ? bytesOf() : times.slice(1).sort((a, b) => a - b)[(CALLS - 1) >> 1]);
