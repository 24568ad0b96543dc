// Reads a .pt and prints the milliseconds that it took. Usage: read-torch-file.ts FILE copy|again|pieces|check|open
// copy: every storage into memory of its own, its checksum compared. again: the same of storages whose checksums were
// compared before. pieces: one after the other through one buffer, checksums compared. check: checksums compared, nothing given out.
// open: nothing read, the median of many.
import { TorchFile, type TorchStorage } from '../../src/core/torch/index.js';

const OPENS = 50;
const PIECE_BYTES = 2 ** 20;
const [path = '', mode] = process.argv.slice(2);

function milliseconds(): number {
  let start = process.hrtime.bigint();
  const file = TorchFile.open(path);
  const storages = new Set<TorchStorage>();
  for (const entry of file.entries.values()) {
    if (entry.kind === 'tensor') storages.add(entry.storage);
  }
  if (mode === 'again') {
    for (const storage of storages) file.verify(storage);
    start = process.hrtime.bigint();
  }
  const copies: Uint8Array[] = [];
  for (const storage of storages) {
    if (mode === 'copy' || mode === 'again') copies.push(file.readRange(storage, 0, storage.byteLength));
    if (mode === 'pieces') readPieces(file, storage);
    if (mode === 'pieces' || mode === 'check') file.verify(storage);
  }
  file.close();
  return Number(process.hrtime.bigint() - start) / 1e6;
}

function readPieces(file: TorchFile, storage: TorchStorage): void {
  const piece = new Uint8Array(PIECE_BYTES);
  for (let at = 0; at < storage.byteLength; at += PIECE_BYTES) {
    file.readRange(storage, at, Math.min(at + PIECE_BYTES, storage.byteLength), piece);
  }
}

const times = Array.from({ length: mode === 'open' ? OPENS : 1 }, milliseconds);
console.log(times.sort((a, b) => a - b)[times.length >> 1]);
