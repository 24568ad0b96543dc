/** What storing contents once saves on disk, and what it costs a call. */
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compare, inDirectory, numberFrom } from '../measure.js';
import { program } from '../places.js';

export function measureDedupe(row) {
  const recorded = (parent, dedupe, mode, kind) =>
    inDirectory(parent, (directory) =>
      numberFrom(process.execPath, [program('weight-call.cjs'), mode, kind], {
        FIR_LOGLEVEL: '10',
        FIR_DUMP_DIR: join(directory, 's'),
        FIR_DUMP_DEDUPE: dedupe,
      }),
    );
  const bytes = (dedupe) => () => recorded(tmpdir(), dedupe, 'bytes', 'roles');
  row(
    '20 calls with one weight of 16 MiB, on disk',
    'with --dedupe',
    compare(bytes('0'), bytes('1'), 1),
    'MiB',
  );
  const places = [
    ['tmpfs', '/dev/shm'],
    ['disk', tmpdir()],
  ].filter(([, path]) => existsSync(path));
  for (const [place, parent] of places) {
    for (const [label, kind] of [
      ['roles declared', 'roles'],
      ['every argument checked', 'checked'],
    ]) {
      const time = (dedupe) => () => recorded(parent, dedupe, 'time', kind);
      row(
        `a call with that weight, ${label}, ${place}`,
        'with --dedupe',
        compare(time('0'), time('1'), 3),
        'ms',
      );
    }
  }
}
