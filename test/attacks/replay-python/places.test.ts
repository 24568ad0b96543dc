// Modules that lie where a session was unpacked, or where a user happens to be.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, beforeEach, expect, it } from 'vitest';
import { temporaryDirectory } from '../../support/fir.js';
import { pythonWithTorch } from '../../support/python.js';
import { type ReplayDocument, replayJson } from '../../support/replay-json.js';
import { DEMO, DEMO_MODULES, writeHostileSession } from './hostile-session.js';

const SETUP_MS = 900_000;
/** What a worker could look for, and what the records name. */
const FILES = [
  'flashinfer/__init__.py',
  'flashinfer/evil.py',
  `${DEMO}.py`,
  'torch.py',
  'json.py',
  'os.py',
  'struct.py',
  'sitecustomize.py',
  'usercustomize.py',
  'fir_replay/__init__.py',
  'fir_replay/worker.py',
];

let python = '';
beforeAll(async () => {
  python = await pythonWithTorch();
}, SETUP_MS);

let session = '';
let marker = '';
beforeEach(() => {
  const folder = temporaryDirectory();
  marker = join(folder, 'marker');
  session = join(folder, 'session');
  const dumps = writeHostileSession(session, [
    { module: 'flashinfer.evil', functionName: 'run' },
    { module: DEMO, functionName: 'options', inputs: { arg_0: 1 }, outputs: { result: 1 } },
  ]);
  for (const place of [session, ...dumps.map(({ path }) => path)]) layTraps(place);
});

function layTraps(folder: string): void {
  for (const file of FILES) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(
      join(folder, file),
      `open(${JSON.stringify(marker)}, 'w').close()\ndef run():\n    return 0\ndef options(x):\n    return x\n`,
    );
  }
}

function replayFrom(
  cwd: string,
  flags: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<ReplayDocument> {
  const all = ['--python', python, '--device', 'cpu', '--allow', DEMO, ...flags];
  return replayJson(session, all, { cwd, env: { ...process.env, ...env } });
}

it.each([
  ['not named at all', undefined],
  ['the empty part of a path', `:${join('/', 'nowhere')}`],
  ['a dot', '.'],
])('the directory of a session gives no module, where PYTHONPATH is %s', async (_, path) => {
  const env = path === undefined ? {} : { PYTHONPATH: path };
  const { calls, code } = await replayFrom(session, ['--pythonpath', DEMO_MODULES], env);
  expect(calls.map(({ verdict }) => verdict)).toEqual(['error', 'pass']);
  expect(calls[0]?.reason).toBe("there is no Python module 'flashinfer.evil'");
  expect(code).toBe(1);
  expect(existsSync(marker)).toBe(false);
});

it('a module that is nowhere else is not taken from there either', async () => {
  const { calls } = await replayFrom(session, []);
  expect(calls.map(({ reason }) => reason)).toEqual([
    "there is no Python module 'flashinfer.evil'",
    `there is no Python module '${DEMO}'`,
  ]);
  expect(existsSync(marker)).toBe(false);
});

it('a directory that is named gives its modules, but of FlashInfer none that its recorder did not record', async () => {
  const modules = temporaryDirectory();
  for (const file of ['flashinfer/__init__.py', 'flashinfer/evil.py']) {
    mkdirSync(dirname(join(modules, file)), { recursive: true });
    writeFileSync(join(modules, file), `open(${JSON.stringify(marker)}, 'a').write('imported ')\n`);
  }
  writeFileSync(
    join(modules, 'flashinfer/evil.py'),
    `def run():\n    open(${JSON.stringify(marker)}, 'a').write('ran')\n`,
  );
  const { calls } = await replayFrom(session, ['--pythonpath', modules]);
  expect(calls[0]).toMatchObject({
    verdict: 'skipped',
    reason:
      "not allowed: flashinfer.evil.run is none of the functions that FlashInfer records; add --allow 'flashinfer.evil'",
  });
  expect(readFileSync(marker, 'utf8')).toBe('imported ');
});
