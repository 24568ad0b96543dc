/** Measures what recording and start-up cost, as ratios against a peer in the same run. `npm run bench`. */
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compare, inDirectory, numberFrom, wallMs } from './measure.js';

const here = fileURLToPath(new URL('.', import.meta.url));
const fir = join(here, '..', 'bin', 'run.js');
const program = (name) => join(here, 'programs', name);
const recording = (directory) => ({
  FIR_LOGLEVEL: '10',
  FIR_DUMP_DIR: directory,
  FIR_DUMP_MAX_COUNT: '1000000',
});
const rows = [];

function row(what, peer, { a, b, ratio }, unit) {
  const text = `| ${what} | ${a.toFixed(1)} ${unit} | ${peer} | ${b.toFixed(1)} ${unit} | ${ratio.toFixed(2)} |`;
  rows.push(text);
  console.error(text);
}

const places = [
  ['tmpfs', '/dev/shm'],
  ['disk', tmpdir()],
].filter(([, path]) => existsSync(path));

for (const [place, parent] of places) {
  for (const [label, argument] of [
    ['roles declared', 'roles'],
    ['every argument checked', 'checked'],
  ]) {
    const capture = () =>
      inDirectory(parent, (directory) =>
        numberFrom(process.execPath, [program('tiny-call.cjs'), argument], recording(join(directory, 's'))),
      );
    const layout = () =>
      inDirectory(parent, (directory) =>
        numberFrom(process.execPath, [program('bare-layout.cjs'), join(directory, 's')]),
      );
    row(`tiny call, ${label}, ${place}`, 'its bare system calls', compare(capture, layout, 5), 'µs');
  }
  for (const [label, mode] of [
    ['roles declared', 'roles'],
    ['every argument checked', 'checked'],
  ]) {
    const raw = () =>
      inDirectory(parent, (directory) =>
        numberFrom(process.execPath, [program('large-call.cjs'), 'raw', join(directory, 's')]),
      );
    const capture = () =>
      inDirectory(parent, (directory) =>
        numberFrom(
          process.execPath,
          [program('large-call.cjs'), mode, join(directory, 's')],
          recording(join(directory, 's')),
        ),
      );
    // Peer first: the ratio is the share of the raw writing speed that recording reaches.
    row(`raw write of 64 MiB in and out, ${place}`, `recorded, ${label}`, compare(raw, capture, 5), 'ms');
  }
}

const bareCall = () => numberFrom(process.execPath, [program('tiny-call.cjs')]);
const tinyOn = (parent) =>
  inDirectory(parent, (directory) =>
    numberFrom(process.execPath, [program('tiny-call.cjs'), 'roles'], recording(join(directory, 's'))),
  );
row(
  'tiny call, recorded',
  'the bare call',
  compare(() => tinyOn(places[0][1]), bareCall, 3),
  'µs',
);

const bareNode = () => wallMs(process.execPath, ['-e', '0']);
const START_ROUNDS = 25;
row(
  'fir --version',
  'node -e 0',
  compare(() => wallMs(process.execPath, [fir, '--version']), bareNode, START_ROUNDS),
  'ms',
);
row(
  'fir --help',
  'node -e 0',
  compare(() => wallMs(process.execPath, [fir, '--help']), bareNode, START_ROUNDS),
  'ms',
);
row(
  'fir inspect, of a path that is missing',
  'node -e 0',
  compare(() => wallMs(process.execPath, [fir, 'inspect', '/nonexistent']), bareNode, START_ROUNDS),
  'ms',
);
const preload = {
  NODE_OPTIONS: `--require "${join(here, '..', 'dist', 'preload', 'register.cjs')}"`,
  FIR_LOGLEVEL: '10',
};
row(
  'a preloaded program that records nothing',
  'the same without',
  compare(() => wallMs(process.execPath, ['-e', '0'], preload), bareNode, START_ROUNDS),
  'ms',
);

console.log('| what | median | against | median | ratio |\n| --- | --- | --- | --- | --- |');
console.log(rows.join('\n'));
