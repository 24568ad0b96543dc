/** What recording a call costs, in time of its own and against the writes that it can not do without. */
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compare, inDirectory, numberFrom } from '../measure.js';
import { program } from '../places.js';

const recording = (directory) => ({
  FIR_LOGLEVEL: '10',
  FIR_DUMP_DIR: directory,
  FIR_DUMP_MAX_COUNT: '1000000',
});

export function measureRecording(row) {
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
}
