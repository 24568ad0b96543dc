/**
 * Changes one byte of one recorded output, to show what a replay makes of it: `node examples/tamper.js <session> <call>`.
 */
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { openSession } from 'fir-recorder';

const [path, number] = process.argv.slice(2);
const session = openSession(path);
const call = session.calls.find((entry) => entry.number === Number(number));
const file = join(session.root, call.dump, 'outputs.safetensors');

// safetensors: the header's length in eight bytes, the header, then the values of each tensor.
const fd = openSync(file, 'r+');
const read = (length, position) => {
  const bytes = Buffer.alloc(length);
  readSync(fd, bytes, 0, length, position);
  return bytes;
};
const headerLength = Number(read(8, 0).readBigUInt64LE());
const [key, entry] = Object.entries(JSON.parse(read(headerLength, 8).toString()))[0];
// The high byte of the first float32: the number is another one altogether.
const position = 8 + headerLength + entry.data_offsets[0] + 3;
const [byte] = read(1, position);
writeSync(fd, Buffer.of(byte ^ 1), 0, 1, position);
closeSync(fd);
console.log(`${key} of call ${number} (${call.functionName}): byte ${position} was ${byte}, is ${byte ^ 1}`);
