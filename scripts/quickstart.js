// From a fresh clone to a recorded, inspected and replayed model: installs, builds, and shows what a user would type
// and see.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { install, root, runNode, runStep } from './steps.js';

const SESSION = 'fir_dumps/quickstart';
const COMMANDS = [
  ['capture', '-o', SESSION, '--', 'node', 'examples/vad/vad.js'],
  ['inspect', SESSION],
  ['replay', SESSION],
];

/** Shows a command line as it would be typed, and runs it; true when it exits with 0. */
function show(args) {
  console.log(`\n$ npx fir ${args.join(' ')}`);
  const { status } = spawnSync(process.execPath, ['bin/run.js', ...args], { cwd: root, stdio: 'inherit' });
  return status === 0;
}

const isReady = runStep('install', install) && runStep('build', () => runNode(['scripts/build.js']));
if (isReady) rmSync(join(root, SESSION), { recursive: true, force: true });
if (!isReady || !COMMANDS.every(show)) process.exitCode = 1;
