// Parses every record of a session's index, and does nothing with them.
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

let calls = 0;
for await (const line of createInterface({
  input: createReadStream(join(process.argv[2], 'session.jsonl')),
})) {
  if (JSON.parse(line).execution_status === 'completed') calls += 1;
}
console.log(calls);
