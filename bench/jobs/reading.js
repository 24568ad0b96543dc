/** How fast files of torch.save are read against torch itself, from a warm page cache. */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compare, inDirectory, numberFrom, outputOf } from '../measure.js';
import { program } from '../places.js';
import { findTorches } from '../torches.js';

const BYTES = 2 ** 30;
const ROUNDS = 7;

export function measureReading(row) {
  const torches = findTorches();
  for (const count of [1, 64]) {
    inDirectory(tmpdir(), (directory) => {
      const file = join(directory, 'inputs.pt');
      outputOf(torches[0].python, [program('write-torch-file.py'), file, String(BYTES), String(count)]);
      for (const torch of torches)
        measureFile(row, file, count === 1 ? '1 tensor' : `${count} tensors`, torch);
    });
  }
}

function measureFile(row, file, tensors, { python, version, canMap }) {
  const read = (mode) => () =>
    numberFrom(process.execPath, ['--import', 'tsx', program('read-torch-file.ts'), file, mode]);
  const load = (mode) => () => numberFrom(python, [program('load-torch-file.py'), file, mode]);
  const measure = (what, own, peer, other) =>
    row(
      `1 GiB, ${tensors}, ${what}`,
      `${peer}, torch ${version}`,
      compare(read(own), load(other), ROUNDS),
      'ms',
    );
  measure('read into memory and checked', 'copy', 'torch.load and zlib.crc32', 'check');
  measure('read into memory and checked', 'copy', 'torch.load', 'copy');
  measure('read into memory, checked before', 'again', 'torch.load', 'copy');
  measure('taken in pieces and checked', 'pieces', 'torch.load', 'copy');
  measure('only checked', 'check', 'torch.load', 'copy');
  if (!canMap) return;
  measure('only checked', 'check', 'torch.load(mmap=True) and a sum', 'map');
  measure('opened', 'open', 'torch.load(mmap=True)', 'open');
}
