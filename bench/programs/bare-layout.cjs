// The system calls that a recorded tiny call's files take, made with nothing around them: a directory, two tensor
// files written beside and renamed, two lines in its own log, two in the index. Prints microseconds a call.
const fs = require('node:fs');

const BATCHES = 15;
const CALLS = 200;
const directory = process.argv[2];
fs.mkdirSync(directory, { recursive: true });
const index = fs.openSync(`${directory}/session.jsonl`, 'a+', 0o600);
const inputs = Buffer.alloc(3072 + 256, 1);
const outputs = Buffer.alloc(1024 + 128, 2);
const line = Buffer.alloc(2000, 'x');

function tensorFile(path, bytes) {
  const fd = fs.openSync(`${path}.tmp`, 'wx', 0o600);
  fs.writeSync(fd, bytes);
  fs.closeSync(fd);
  fs.renameSync(`${path}.tmp`, path);
}

function appendIndex() {
  fs.fstatSync(index);
  fs.writeSync(index, line);
}

let number = 0;
function call() {
  number += 1;
  const dump = `${directory}/20260101_000000_000_pid${process.pid}_addThree_call${number}`;
  fs.mkdirSync(dump, { mode: 0o700 });
  tensorFile(`${dump}/inputs.safetensors`, inputs);
  const log = fs.openSync(`${dump}/metadata.jsonl`, 'ax', 0o600);
  fs.writeSync(log, line);
  appendIndex();
  tensorFile(`${dump}/outputs.safetensors`, outputs);
  fs.writeSync(log, line);
  appendIndex();
  fs.closeSync(log);
}

for (let i = 0; i < 2 * CALLS; i += 1) call();
const times = [];
for (let batch = 0; batch < BATCHES; batch += 1) {
  const start = process.hrtime.bigint();
  for (let i = 0; i < CALLS; i += 1) call();
  times.push(Number(process.hrtime.bigint() - start) / 1000 / CALLS);
}
console.log(times.sort((x, y) => x - y)[BATCHES >> 1]);
