/** What cutting a few calls, or all, out of a large session takes. */
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compare, inDirectory, numberFrom, outputOf, wallMs } from '../measure.js';
import { fir, program } from '../places.js';

const MANY = 100_000;
const FEW = 10_000;
const ROUNDS = 3;

export function measureFilter(row) {
  inDirectory(tmpdir(), (directory) => {
    const session = sessionOf(directory, MANY);
    measureCut(row, directory, session, '3 of 100,000 calls', [
      '--include',
      'InferenceSession.run',
      '--last',
      '3',
    ]);
    measureCut(row, directory, session, 'a history of 1,000 of 100,000 calls', [
      '--include',
      'Attention.run',
      '--last',
      '1',
    ]);
    const peakOf = (command, ...args) =>
      numberFrom(process.execPath, [program('peak-memory.js'), command, ...args]);
    const flags = ['filter', session, '--include', 'Attention.run', '--dry-run'];
    row(
      'peak memory of listing 1,000 of 100,000 calls',
      'JSON.parse of every record',
      compare(
        () => peakOf(process.execPath, fir, ...flags),
        () => peakOf(process.execPath, program('parse-index.js'), session),
        3,
      ),
      'MiB',
    );
  });
  inDirectory(tmpdir(), (directory) => {
    const session = sessionOf(directory, FEW);
    const out = join(directory, 'out');
    row(
      'fir filter, all of 10,000 calls',
      'cp -al',
      compare(
        () => timed(out, process.execPath, [fir, 'filter', session, '-o', out]),
        () => timed(out, 'cp', ['-al', session, out]),
        ROUNDS,
      ),
      'ms',
    );
  });
}

function sessionOf(directory, calls) {
  const session = join(directory, 'session');
  outputOf(process.execPath, [program('write-session.js'), session, String(calls)]);
  return session;
}

function measureCut(row, directory, session, what, selection) {
  const out = join(directory, 'out');
  row(
    `fir filter, ${what}`,
    'JSON.parse of every record',
    compare(
      () => timed(out, process.execPath, [fir, 'filter', session, '-o', out, ...selection]),
      () => wallMs(process.execPath, [program('parse-index.js'), session]),
      ROUNDS,
    ),
    'ms',
  );
}

/** Of a command that makes `out`, which is gone afterwards. */
function timed(out, command, args) {
  const ms = wallMs(command, args);
  rmSync(out, { recursive: true });
  return ms;
}
