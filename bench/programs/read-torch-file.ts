// Reads a .pt and prints the milliseconds that it took. Usage: read-torch-file.ts FILE copy|check|open
// copy: every storage into memory of its own. check: every storage read once, nothing kept. Both compare checksums.
// open: nothing read, the median of many.
import { TorchFile, type TorchStorage } from '../../src/core/torch/index.js';

const OPENS = 50;
const [path = '', mode] = process.argv.slice(2);

function milliseconds(): number {
  const start = process.hrtime.bigint();
  const file = TorchFile.open(path);
  const storages = new Set<TorchStorage>();
  for (const entry of file.entries.values()) {
    if (entry.kind === 'tensor') storages.add(entry.storage);
  }
  const copies: Uint8Array[] = [];
  for (const storage of storages) {
    if (mode === 'copy') copies.push(file.readRange(storage, 0, storage.byteLength));
    if (mode === 'check') file.verify(storage);
  }
  file.close();
  return Number(process.hrtime.bigint() - start) / 1e6;
}

const times = Array.from({ length: mode === 'open' ? OPENS : 1 }, milliseconds);
console.log(times.sort((a, b) => a - b)[times.length >> 1]);
