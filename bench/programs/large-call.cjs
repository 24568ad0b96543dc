// 64 MiB in, 64 MiB out, a few times: `raw` writes the same bytes to two files, `roles` and `checked` record the call.
// Prints milliseconds a call, median, without the function's own time.
const fs = require('node:fs');
const { createRequire } = require('node:module');
const { join } = require('node:path');

const BYTES = 64 * 1024 * 1024;
const RUNS = 7;
const [mode, directory] = process.argv.slice(2);
fs.mkdirSync(directory, { recursive: true });
const input = new Float32Array(BYTES / 4).fill(1.5);
const result = new Float32Array(BYTES / 4).fill(2.5);
const work = () => result;

function rawWrite(path, array) {
  const fd = fs.openSync(path, 'w', 0o600);
  const bytes = new Uint8Array(array.buffer);
  for (let at = 0; at < bytes.length; ) at += fs.writeSync(fd, bytes, at);
  fs.closeSync(fd);
}

let call;
if (mode === 'raw') {
  let number = 0;
  call = () => {
    number += 1;
    fs.mkdirSync(`${directory}/${number}`);
    rawWrite(`${directory}/${number}/in`, input);
    rawWrite(`${directory}/${number}/out`, result);
  };
} else {
  createRequire(__filename)(join(__dirname, '..', '..', 'dist', 'preload', 'recorder.cjs'));
  const roles = mode === 'roles' ? { arg_0: 'in' } : {};
  const recorded = globalThis[Symbol.for('fir.recorder/1')].recordable(work, { roles });
  call = () => recorded(input);
}

/** Every run writes into fresh files on an empty disk area, so that none pays for freeing another's pages. */
function clear() {
  for (const name of fs.readdirSync(directory)) {
    if (name !== 'session.jsonl' && name !== 'processes') {
      fs.rmSync(`${directory}/${name}`, { recursive: true, force: true });
    }
  }
}

const times = [];
for (let run = 0; run < RUNS; run += 1) {
  clear();
  const start = process.hrtime.bigint();
  call();
  times.push(Number(process.hrtime.bigint() - start) / 1e6);
}
console.log(times.sort((a, b) => a - b)[RUNS >> 1]);
