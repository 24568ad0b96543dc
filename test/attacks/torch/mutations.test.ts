import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FirError } from '../../../src/core/errors.js';
import { gatherContiguous } from '../../../src/core/tensor/index.js';
import { TorchFile } from '../../../src/core/torch/index.js';
import {
  bool,
  call,
  dict,
  float,
  global,
  list,
  none,
  pickle,
  tensor,
  text,
} from '../../core/torch/raw-pickle.js';
import { placeArchive, placeBytes, torchRecords } from '../../core/torch/raw-zip.js';

const FIXTURES = fileURLToPath(new URL('../../fixtures/torch/', import.meta.url));
/** More logical values than this are the layout's doing, and nobody's to gather. */
const GATHERED = 2 ** 20;

/** Reads all that a file holds; only a FirError may come of it. */
function readAll(path: string): void {
  try {
    const file = TorchFile.open(path);
    try {
      for (const entry of file.entries.values()) {
        if (entry.kind === 'opaque') continue;
        const { storage, shape } = entry;
        const bytes = file.readRange(storage, 0, storage.byteLength);
        expect(bytes.byteLength).toBe(storage.byteLength);
        if (shape.reduce((count, size) => count * size, 1) <= GATHERED) gatherContiguous(bytes, entry);
        file.verify(storage);
      }
    } finally {
      file.close();
    }
  } catch (error) {
    expect(error).toBeInstanceOf(FirError);
  }
}

const anyChanges = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), {
  minLength: 1,
  maxLength: 6,
});

function change(bytes: Uint8Array, changes: readonly (readonly [number, number])[]): Buffer {
  const changed = Buffer.from(bytes);
  for (const [place, value] of changes) changed[place % changed.length] = value;
  return changed;
}

describe('changed bytes', () => {
  it.each(['kinds.pt', 'nested.pt', 'tensor.pt', 'script.pt', 'checksums-off.pt'])('of %s', (name) => {
    const good = readFileSync(FIXTURES + name);
    fc.assert(
      fc.property(anyChanges, (changes) => readAll(placeBytes(change(good, changes)))),
      { numRuns: 150 },
    );
  });

  it('of a small archive, in its directory and headers', () => {
    const good = readFileSync(`${FIXTURES}checksums-off.pt`);
    const directory = good.length - 700;
    fc.assert(
      fc.property(anyChanges, (changes) =>
        readAll(
          placeBytes(
            change(
              good,
              changes.map(([place, value]) => [directory + (place % 700), value]),
            ),
          ),
        ),
      ),
      { numRuns: 400 },
    );
  });

  it('of a pickle whose checksum fits', () => {
    const content = new Uint8Array(16);
    const good = pickle(
      dict(
        ['a', tensor()],
        ['b', list(tensor({ shape: [2, 2], stride: [1, 2] }), none, float(0.5), text('x'))],
        ['c', call(global('torch._utils', '_rebuild_parameter'), tensor(), bool(true), none)],
        ['d', call(global('my', 'Class'), tensor())],
      ),
    );
    fc.assert(
      fc.property(anyChanges, (changes) =>
        readAll(placeArchive(torchRecords(change(good, changes), { 0: content }))),
      ),
      { numRuns: 600 },
    );
  });

  it('that are all random', () => {
    const content = new Uint8Array(16);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        readAll(placeBytes(bytes));
        readAll(placeArchive(torchRecords(pickle(bytes), { 0: content })));
      }),
      { numRuns: 200 },
    );
  });
});
