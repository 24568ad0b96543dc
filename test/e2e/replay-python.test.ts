import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { CallResult } from '../../src/core/model/verdict.js';
import { repository, runFir, temporaryDirectory } from '../support/fir.js';
import { flashinferRecorder } from '../support/flashinfer-recorder.js';
import { pythonWith, pythonWithTorch, SAFETENSORS_PACKAGES } from '../support/python.js';
import { type ReplayDocument, replayJson } from '../support/replay-json.js';
import { program, sharedDirectory } from './captured.js';
import { captureIn, namesIn, sessionIn } from './captured-python.js';

const FIXTURES = join(repository, 'test/fixtures/python');
const SETUP_MS = 900_000;
const TIMEOUT_MS = 120_000;

const root = sharedDirectory();
const session = join(root, 'session');
const modules = join(root, 'modules');
let python = '';
let names: string[] = [];

beforeAll(async () => {
  python = await pythonWithTorch();
  // FlashInfer's recorder in a package `flashinfer` that has some functions, too.
  cpSync(await flashinferRecorder(), modules, { recursive: true, dereference: true });
  cpSync(FIXTURES, modules, { recursive: true });
  await captureIn(root, [python, program('python_cases.py')], { env: { PYTHONPATH: modules } });
  names = namesIn(sessionIn(root));
}, SETUP_MS);

interface Options {
  flags?: readonly string[];
  env?: NodeJS.ProcessEnv;
  /** In place of consent to the module of the cases. */
  allow?: readonly string[];
  pythonPath?: string;
  interpreter?: string;
}

function replay({
  flags = [],
  env = {},
  allow = ['fir_cases'],
  pythonPath = modules,
  interpreter = python,
}: Options = {}) {
  const consent = allow.flatMap((pattern) => ['--allow', pattern]);
  return replayJson(
    session,
    ['--python', interpreter, '--pythonpath', pythonPath, '--device', 'cpu', ...consent, ...flags],
    { env: { ...process.env, ...env } },
  );
}

function called({ calls }: ReplayDocument, name: string): CallResult {
  const found = calls.find((call) => call.function === name);
  if (found === undefined) throw new Error(`no call of ${name}`);
  return found;
}

/** Function and verdict of each call that is none of these. */
function others({ calls }: ReplayDocument, ...verdicts: string[]): string[] {
  return calls
    .filter(({ verdict }) => !verdicts.includes(verdict))
    .map((call) => `${call.function} ${call.verdict}`);
}

describe('a recorded Python program', () => {
  it(
    'runs again with its objects, views and parameters as they were',
    async () => {
      const document = await replay({ env: { CASES: 'check' } });
      expect(names.length).toBe(26);
      expect(others(document, 'pass', 'ran')).toEqual(['configured skipped', 'all_reduce skipped']);
      expect(document.calls.filter(({ verdict }) => verdict === 'ran').map((call) => call.function)).toEqual([
        'PagedWrapper.__init__',
        'PagedWrapper.plan',
        'PagedWrapper.plan',
        'PagedWrapper.plan',
        '__init__',
        '__init__',
        'CountWrapper.__init__',
      ]);
      expect(document.code).toBe(3);
    },
    TIMEOUT_MS,
  );

  it(
    'says what it needs of an argument that was only described, and why a collective does not run',
    async () => {
      const document = await replay({ flags: ['--include', 'configured', '--include', 'all_reduce'] });
      expect(called(document, 'configured').reason).toContain('its constructor was not recorded');
      expect(called(document, 'all_reduce').reason).toContain('would wait for ranks');
      const allowed = await replay({ allow: ['flashinfer.comm'], flags: ['--include', 'all_reduce'] });
      expect([allowed.verdicts.length, allowed.code]).toEqual([1, 0]);
    },
    TIMEOUT_MS,
  );

  it(
    'is not recorded into its own session, whatever the environment says',
    async () => {
      const before = readFileSync(join(session, 'session.jsonl'), 'utf8');
      const env = { FLASHINFER_LOGLEVEL: '10', FLASHINFER_DUMP_DIR: session };
      await replay({ flags: ['--include', 'rope'], env });
      expect(readFileSync(join(session, 'session.jsonl'), 'utf8')).toBe(before);
    },
    TIMEOUT_MS,
  );
});

describe('a call of an object alone', () => {
  function noted(flags: readonly string[]): Promise<{ notes: string[]; document: ReplayDocument }> {
    const notes = join(temporaryDirectory(), 'notes');
    return replay({ flags, env: { CASES_NOTES: notes } }).then((document) => ({
      document,
      notes: existsSync(notes) ? readFileSync(notes, 'utf8').trim().split('\n') : [],
    }));
  }

  it(
    'needs the constructor and the last plan of a FlashInfer wrapper',
    async () => {
      const last = names.lastIndexOf('PagedWrapper.run') + 1;
      const { notes, document } = await noted(['--call', String(last)]);
      expect(document.verdicts).toEqual([`${last} pass`]);
      expect(notes).toEqual(['init', 'plan 7.0', 'run']);
    },
    TIMEOUT_MS,
  );

  it(
    'needs every earlier call of another class',
    async () => {
      const last = names.lastIndexOf('add') + 1;
      const { document } = await noted(['--call', String(last)]);
      expect(document.verdicts).toEqual([`${last} pass`]);
    },
    TIMEOUT_MS,
  );
});

describe('a call that ends its worker', () => {
  it(
    'costs its own verdict: the rest goes on with its objects as they were',
    async () => {
      const document = await replay({
        flags: ['--timeout', '5'],
        env: { CASES: 'segfault,leave,hang,raises' },
      });
      expect(others(document, 'pass', 'ran', 'skipped')).toEqual([
        'segfault crashed',
        'leave crashed',
        'hang timeout',
        'raises error',
      ]);
      expect(called(document, 'segfault').reason).toContain('SIGSEGV');
      expect(called(document, 'leave').reason).toContain('exited with code 3');
      expect(called(document, 'raises').error).toMatchObject({
        name: 'RuntimeError',
        message: 'it does not work here',
      });
      expect(document.code).toBe(1);
    },
    TIMEOUT_MS,
  );
});

describe('what a call prints', () => {
  const everything = ['{"ok":true}', 'from the descriptor', 'from C', 'from a thread', 'from a child'];

  it(
    'does not disturb the replay, and is kept of a call that fails',
    async () => {
      const quiet = await replay({ flags: ['--include', 'noisy'] });
      expect(called(quiet, 'noisy')).toMatchObject({ verdict: 'pass' });
      expect(called(quiet, 'noisy').stdout).toBeUndefined();
      const failing = called(
        await replay({ flags: ['--include', 'noisy'], env: { CASES: 'drift' } }),
        'noisy',
      );
      expect(failing.verdict).toBe('mismatch');
      for (const text of everything) expect(failing.stdout).toContain(text);
      expect(failing.stderr).toContain('from a warning');
    },
    TIMEOUT_MS,
  );

  it(
    'is shown with --debug',
    async () => {
      const flags = [
        '--python',
        python,
        '--pythonpath',
        modules,
        '--allow',
        'fir_cases',
        '--include',
        'noisy',
      ];
      const { stdout, code } = await runFir(['replay', session, '--device', 'cpu', '--debug', ...flags]);
      expect(code).toBe(0);
      for (const text of everything) expect(stdout).toContain(text);
    },
    TIMEOUT_MS,
  );
});

describe('what is not there', () => {
  const flags = ['--include', 'raises', '--include', 'rope'];

  it(
    'is consent: the reason says which flag gives it',
    async () => {
      const document = await replay({ allow: [], flags });
      expect(called(document, 'raises')).toMatchObject({
        verdict: 'skipped',
        reason: expect.stringContaining("--allow 'fir_cases'"),
      });
      expect(called(document, 'rope').verdict).toBe('pass');
      expect(document.code).toBe(3);
    },
    TIMEOUT_MS,
  );

  it(
    'is a Python: it is said with each call, in one line',
    async () => {
      const document = await replay({ flags, interpreter: '/nowhere/python' });
      expect(called(document, 'raises')).toMatchObject({
        verdict: 'skipped',
        reason: expect.stringMatching(/^the Python interpreter \/nowhere\/python is not there; .*--python/),
      });
      expect(document.code).toBe(3);
    },
    TIMEOUT_MS,
  );

  it(
    'is torch',
    async () => {
      const without = await pythonWith(SAFETENSORS_PACKAGES);
      const document = await replay({ flags, interpreter: without });
      expect(called(document, 'raises').verdict).toBe('skipped');
      expect(called(document, 'raises').reason).toMatch(/torch/);
      expect(called(document, 'raises').reason).not.toContain('\n');
    },
    SETUP_MS,
  );

  it(
    'is the module, or the function, or a module that can be imported',
    async () => {
      const empty = temporaryDirectory();
      const gone = await replay({ pythonPath: empty, flags: ['--include', 'raises'] });
      expect(called(gone, 'raises')).toMatchObject({ verdict: 'error' });
      expect(called(gone, 'raises').reason).toContain('fir_cases');
      writeFileSync(join(empty, 'fir_cases.py'), 'def other(x):\n    return x\n');
      const renamed = await replay({ pythonPath: empty, flags: ['--include', 'raises'] });
      expect(called(renamed, 'raises').reason).toContain('raises');
      const broken = temporaryDirectory();
      writeFileSync(join(broken, 'fir_cases.py'), 'print("half")\nraise OSError("no such library")\n');
      const failing = called(await replay({ pythonPath: broken, flags: ['--include', 'raises'] }), 'raises');
      expect(failing).toMatchObject({ verdict: 'error', stdout: expect.stringContaining('half') });
      expect(failing.reason).toContain('no such library');
      for (const text of [called(gone, 'raises').reason, failing.reason]) expect(text).not.toContain('\n');
    },
    TIMEOUT_MS,
  );

  it(
    'is a CUDA device',
    async () => {
      const { code, stdout } = await runFir([
        ...['replay', session, '--json', '--python', python, '--pythonpath', modules],
        ...['--device', 'cuda:64', '--include', 'rope'],
      ]);
      expect(code).toBe(2);
      expect(JSON.parse(stdout).error.code).toBe('DEVICE_MISSING');
    },
    TIMEOUT_MS,
  );
});

describe('a stand-in', () => {
  it(
    'may be a function of a Python file',
    async () => {
      const file = join(temporaryDirectory(), 'mine.py');
      writeFileSync(
        file,
        'def rope(x, factor=1.0):\n    return x + x + x\n\ndef wrong(x, factor):\n    return x\n',
      );
      const flags = ['--include', 'rope'];
      const right = await replay({ flags: [...flags, '--target', `rope=${file}#rope`] });
      expect(called(right, 'rope').verdict).toBe('pass');
      const wrong = await replay({ flags: [...flags, '--target', `rope=${file}#wrong`] });
      expect(called(wrong, 'rope').verdict).toBe('mismatch');
    },
    TIMEOUT_MS,
  );

  it(
    'may be a function of a JavaScript file',
    async () => {
      const folder = join(temporaryDirectory(), 'app');
      mkdirSync(folder);
      const library = JSON.stringify(join(repository, 'dist/index.js'));
      writeFileSync(
        join(folder, 'mine.mjs'),
        `import { Tensor } from ${library};
       export const rope = (x, { factor }) => {
         const values = new Float32Array(x.contiguousBytes().slice().buffer).map((value) => value * factor);
         return Tensor.fromBytes('float32', x.shape, new Uint8Array(values.buffer));
       };`,
      );
      const document = await replay({
        flags: ['--include', 'rope', '--target', `rope=${join(folder, 'mine.mjs')}#rope`],
      });
      expect(called(document, 'rope')).toMatchObject({ verdict: 'pass' });
    },
    TIMEOUT_MS,
  );
});
