import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { FirError } from '../errors.js';

/** A built worker: beside the bundle that this is in, one folder up, or, run from the sources, in dist/. */
const PLACES = ['./worker.js', '../worker.js', '../../../dist/worker.js'];

/** FirError WORKER_FAILED where it was not built. */
export function findWorkerEntry(): string {
  const paths = PLACES.map((place) => fileURLToPath(new URL(place, import.meta.url)));
  const found = paths.find((path) => existsSync(path));
  if (found === undefined) {
    throw new FirError('WORKER_FAILED', 'the replay worker is missing from this installation', {
      where: paths.join(', '),
      hint: 'build it (npm run build), or install the package again',
    });
  }
  return found;
}

/** Variables of the recorder; others may begin alike. */
const RECORDER = /^FIR_(LOGLEVEL|LOGDEST|DUMP_\w+|INSTRUMENT|ASYNC_PARENTS|CAPTURE_ID|USER_NODE_OPTIONS)$/;

/** The environment of a worker: the user's, without what would record the replay. */
export function workerEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const own = Object.entries(env).filter(([name]) => !RECORDER.test(name) && name !== 'NODE_OPTIONS');
  const nodeOptions = withoutPreload(env['NODE_OPTIONS'] ?? '');
  return { ...Object.fromEntries(own), ...(nodeOptions === '' ? {} : { NODE_OPTIONS: nodeOptions }) };
}

/** Takes `--require <…/preload/register.cjs>` out of NODE_OPTIONS, whose values may stand in quotes. */
function withoutPreload(nodeOptions: string): string {
  const words = nodeOptions.match(/(?:[^\s"]|"(?:\\.|[^"\\])*")+/g) ?? [];
  const kept: string[] = [];
  for (let index = 0; index < words.length; index++) {
    const [word = '', next = ''] = [words[index], words[index + 1]];
    if ((word === '--require' || word === '-r') && isPreload(next)) index += 1;
    else if (!(word.startsWith('--require=') && isPreload(word))) kept.push(word);
  }
  return kept.join(' ');
}

function isPreload(word: string): boolean {
  return /[\\/]preload[\\/]register\.cjs"?$/.test(word);
}
