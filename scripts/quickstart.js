// From a fresh clone to a recorded, inspected and replayed model: installs, builds, and shows what a user would type
// and see.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { install, root, runNode, runStep } from './steps.js';

const SESSION = 'fir_dumps/quickstart';
const FIR = 'bin/run.js';
/** What is typed, what that runs, and the exit code that it has to end with. */
const COMMANDS = [
  fir(0, 'capture', '-o', SESSION, '--', 'node', 'examples/vad/vad.js'),
  fir(0, 'inspect', SESSION),
  fir(0, 'replay', SESSION),
  {
    typed: `node examples/tamper.js ${SESSION} 12`,
    args: ['examples/tamper.js', SESSION, '12'],
    exitCode: 0,
  },
  fir(1, 'replay', SESSION, '--call', '10-13'),
];

function fir(exitCode, ...args) {
  return { typed: `npx fir ${args.join(' ')}`, args: [FIR, ...args], exitCode };
}

/** Shows a command line as it would be typed, runs it, and shows its exit code; true when that is the expected one. */
function show({ typed, args, exitCode }) {
  console.log(`\n$ ${typed}`);
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) console.log(`(exit code ${status})`);
  return status === exitCode;
}

const isReady = runStep('install', install) && runStep('build', () => runNode(['scripts/build.js']));
if (isReady) rmSync(join(root, SESSION), { recursive: true, force: true });
if (!isReady || !COMMANDS.every(show)) process.exitCode = 1;
