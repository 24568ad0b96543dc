// One function of three 1 KiB inputs, called over and over. Prints microseconds a call, median of batches.
const { createRequire } = require('node:module');
const { join } = require('node:path');

const BATCHES = 15;
const CALLS = 200;

function addThree(a, b, c) {
  const out = new Float32Array(a.length);
  for (let i = 0; i < out.length; i += 1) out[i] = a[i] + b[i] + c[i];
  return out;
}

let fn = addThree;
if (process.env.FIR_LOGLEVEL) {
  createRequire(__filename)(join(__dirname, '..', '..', 'dist', 'preload', 'recorder.cjs'));
  const roles = process.argv[2] === 'roles' ? { arg_0: 'in', arg_1: 'in', arg_2: 'in' } : {};
  fn = globalThis[Symbol.for('fir.recorder/1')].recordable(addThree, { roles });
}
const input = () => Float32Array.from({ length: 256 }, (_, i) => i);
const [a, b, c] = [input(), input(), input()];
for (let i = 0; i < 2 * CALLS; i += 1) fn(a, b, c);
const times = [];
for (let batch = 0; batch < BATCHES; batch += 1) {
  const start = process.hrtime.bigint();
  for (let i = 0; i < CALLS; i += 1) fn(a, b, c);
  times.push(Number(process.hrtime.bigint() - start) / 1000 / CALLS);
}
console.log(times.sort((x, y) => x - y)[BATCHES >> 1]);
