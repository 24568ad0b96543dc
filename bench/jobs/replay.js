/** How long a replay of recorded Python calls takes against a loop that does no more than it must. */
import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compare, inDirectory, numberFrom, outputOf, summarize, wallMs } from '../measure.js';
import { fir, program, root } from '../places.js';
import { findTorches } from '../torches.js';

const CALLS = 1000;
/** By then the JavaScript that does the work is compiled. */
const MANY = 5000;
const ROUNDS = 7;
const kernels = join(root, 'test', 'fixtures', 'flashinfer', 'py');

export function measureReplay(row) {
  for (const torch of findTorches()) {
    inDirectory(tmpdir(), (directory) => measureWith(row, torch, directory));
  }
}

function measureWith(row, { python, version }, directory) {
  const [one, all, many] = [1, CALLS, MANY].map((calls) => {
    const session = join(directory, String(calls));
    mkdirSync(session);
    outputOf(python, [program('record-tiny-calls.py'), session, String(calls), kernels]);
    return session;
  });
  const replay = (session) => [
    process.execPath,
    [fir, 'replay', session, '--json', '--device', 'cpu', '--python', python]
      .concat('--pythonpath', kernels)
      .concat('--allow', 'fir_demo_kernels'),
  ];
  const loop = (session) => [python, [program('plain-replay.py'), session, kernels]];
  const { pass } = JSON.parse(outputOf(...replay(all))).summary;
  if (pass !== CALLS || numberFrom(...loop(all)) !== CALLS) throw new Error('not every call passed');

  const timesOf = (command) => ({
    one: wallMs(...command(one)),
    all: wallMs(...command(all)),
    many: wallMs(...command(many)),
  });
  const rounds = Array.from({ length: ROUNDS }, () => ({
    fir: timesOf(replay),
    loop: timesOf(loop),
  }));
  const both = (figure) => summarize(rounds.map((round) => [figure(round.fir), figure(round.loop)]));
  const peer = `a plain loop, torch ${version}`;
  row(
    'fir replay of one call',
    peer,
    both(({ one }) => one),
    'ms',
  );
  row(
    `fir replay of ${CALLS} tiny calls`,
    peer,
    both(({ all }) => all),
    'ms',
  );
  row(
    'each further call',
    peer,
    both(({ one, all }) => ((all - one) * 1000) / (CALLS - 1)),
    'µs',
  );
  row(
    `each further call, from the ${CALLS + 1}st on`,
    peer,
    both(({ all, many }) => ((many - all) * 1000) / (MANY - CALLS)),
    'µs',
  );
  const peak =
    ([command, args]) =>
    () =>
      numberFrom(process.execPath, [program('peak-memory.js'), command, ...args]);
  row(`peak memory of ${CALLS} tiny calls`, peer, compare(peak(replay(all)), peak(loop(all)), 3), 'MiB');
}
