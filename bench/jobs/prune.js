/** What dropping nine of ten calls of a large session takes. */
import { cpSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compare, inDirectory, numberFrom, outputOf, wallMs } from '../measure.js';
import { fir, program } from '../places.js';

const MANY = 100_000;
const ROUNDS = 3;

export function measurePrune(row) {
  for (const [place, parent] of [
    ['tmpfs', '/dev/shm'],
    ['disk', tmpdir()],
  ]) {
    inDirectory(parent, (directory) => {
      const session = join(directory, 'session');
      outputOf(process.execPath, [program('write-session.js'), session, String(MANY)]);
      const list = ['prune', session, '--max-count', String(MANY / 10), '--dry-run'];
      row(
        `fir prune --dry-run, 100,000 calls, ${place}`,
        'JSON.parse of every record',
        compare(
          () => wallMs(process.execPath, [fir, ...list]),
          () => wallMs(process.execPath, [program('parse-index.js'), session]),
          ROUNDS,
        ),
        'ms',
      );
      row(
        `fir prune, 90,000 of 100,000 calls, ${place}`,
        'rm -r of the session',
        compare(
          () => onCopy(session, (copy) => pruned(copy)),
          () => onCopy(session, (copy) => wallMs('rm', ['-r', copy])),
          ROUNDS,
        ),
        'ms',
      );
    });
  }
  inDirectory('/dev/shm', (directory) => {
    const session = join(directory, 'session');
    outputOf(process.execPath, [program('write-session.js'), session, String(MANY)]);
    const peakOf = (...command) =>
      numberFrom(process.execPath, [program('peak-memory.js'), process.execPath, ...command]);
    row(
      'peak memory of fir prune, 90,000 of 100,000 calls',
      'JSON.parse of every record',
      compare(
        () => onCopy(session, (copy) => peakOf(fir, ...pruneFlags(copy))),
        () => peakOf(program('parse-index.js'), session),
        ROUNDS,
      ),
      'MiB',
    );
  });
}

function pruneFlags(session) {
  return ['prune', session, '--max-count', String(MANY / 10), '--yes'];
}

function pruned(session) {
  return wallMs(process.execPath, [fir, ...pruneFlags(session)]);
}

function onCopy(session, measure) {
  const copy = `${session}-copy`;
  cpSync(session, copy, { recursive: true });
  const result = measure(copy);
  rmSync(copy, { recursive: true, force: true });
  return result;
}
