// Pickles that run something where they are loaded. Here they are looked at and replayed, by the real command line.
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { CallResult } from '../../../src/core/model/verdict.js';
import { dict, pickle, tensor } from '../../core/torch/raw-pickle.js';
import { sharedDirectory } from '../../e2e/captured.js';
import { type ProcessResult, runFir, runProcess } from '../../support/fir.js';
import { pythonWithTorch } from '../../support/python.js';
import { type ReplayDocument, replayJson } from '../../support/replay-json.js';
import { BESIDE_TENSORS, IN_PLACE_OF_A_FILE, IN_PLACE_OF_A_TENSOR } from './hostile-pickles.js';
import { DEMO, expectPlain, placeTorchFile, pythonFlags, writeHostileSession } from './hostile-session.js';

const SETUP_MS = 900_000;

/** Loads each file as a careless program would; what it raises does not matter. */
const LOAD = `
import sys, torch, warnings
warnings.simplefilter('ignore')
for path in sys.argv[1:]:
    try:
        torch.load(path, weights_only=False)
    except Exception:
        pass
`;

const ARGUMENT = { file: 'inputs.pt', key: 'arg_0' };
const RESULT = { file: 'outputs.pt', key: 'result' };
const PLACES = [ARGUMENT, RESULT] as const;

interface Attempt {
  what: string;
  file: string;
  write(path: string, marker: string): void;
  names: readonly string[];
  verdict: string;
  reason: RegExp;
}

const ATTEMPTS: readonly Attempt[] = PLACES.flatMap(({ file, key }) => [
  ...IN_PLACE_OF_A_TENSOR.map(({ what, make, names, protocol = 4 }) => ({
    what: `${what} for ${key}`,
    file,
    write: (path: string, marker: string) =>
      placeTorchFile(path, pickle(dict([key, make(marker)]), protocol)),
    names,
    verdict: file === ARGUMENT.file ? 'skipped' : 'error',
    reason: new RegExp(`tensor "${key}" can't be read: .*${file}`),
  })),
  ...BESIDE_TENSORS.map(({ what, make, names, protocol = 4 }) => ({
    what: `${what} in ${file}`,
    file,
    write: (path: string, marker: string) => placeTorchFile(path, pickle(make(marker), protocol)),
    names,
    verdict: 'pass',
    reason: /^$/,
  })),
  ...IN_PLACE_OF_A_FILE.map(({ what, write, says, names = [] }) => ({
    what: `${what} in ${file}`,
    file,
    write,
    names,
    verdict: 'error',
    reason: new RegExp(`${says}.*${file}`),
  })),
]);

interface Inspected {
  notes?: string[];
  inputs: { key: string; error?: string }[];
  outputs: { key: string; error?: string }[];
}

const root = sharedDirectory();
const session = join(root, 'session');
const markers = ATTEMPTS.map((_, index) => join(root, `marker-${index}`));
const files: string[] = [];

let listed: ProcessResult;
let inspected: Inspected[];
/** Of the inputs alone: one file is looked at as another. */
let inspectedFiles: Map<number, ProcessResult>;
let refused: ReplayDocument;
let replayed: ReplayDocument;
let told: ProcessResult;
/** Whether the attempt had left its marker behind. */
let afterFir: boolean[];
let afterTorch: boolean[];

beforeAll(async () => {
  const python = await pythonWithTorch();
  writeAttempts();
  listed = await runFir(['inspect', session, '--stats']);
  inspected = JSON.parse((await runFir(['inspect', session, '--json', '--stats', '--hash'])).stdout).calls;
  inspectedFiles = new Map();
  for (const [index, path] of files.entries())
    if (basename(path) === ARGUMENT.file) inspectedFiles.set(index, await runFir(['inspect', path]));
  const flags = pythonFlags(python);
  refused = await replayJson(session, flags);
  replayed = await replayJson(session, [...flags, '--allow', '*']);
  told = await runFir(['replay', session, ...flags, '--allow', '*']);
  afterFir = markers.map((marker) => existsSync(marker));
  await runProcess(python, ['-c', LOAD, ...files]);
  afterTorch = markers.map((marker) => existsSync(marker));
}, SETUP_MS);

/** `make_nan(arg_0)` for each attempt, which gives back what is not negative as it is; and a good call at the end. */
function writeAttempts(): void {
  const call = {
    module: DEMO,
    functionName: 'make_nan',
    inputKeys: [ARGUMENT.key],
    outputKeys: [RESULT.key],
  };
  const dumps = writeHostileSession(
    session,
    [...ATTEMPTS, undefined].map(() => call),
  );
  for (const [index, { path }] of dumps.entries()) {
    for (const { file, key } of PLACES) placeTorchFile(join(path, file), pickle(dict([key, tensor()])));
    const attempt = ATTEMPTS[index];
    if (attempt === undefined) continue;
    files.push(join(path, attempt.file));
    attempt.write(join(path, attempt.file), markers[index] ?? '');
  }
}

function resultOf({ calls }: ReplayDocument, index: number): CallResult {
  const found = calls.find(({ call }) => call === index + 1);
  if (found === undefined) throw new Error(`call ${index + 1} was not told`);
  return found;
}

describe.each(ATTEMPTS.map((attempt, index) => [attempt.what, attempt, index] as const))(
  '%s',
  (...[, attempt, index]) => {
    const { file, names, verdict, reason } = attempt;

    it('runs where torch loads it, and not where fir reads it', () => {
      expect([afterFir[index], afterTorch[index]]).toEqual([false, true]);
    });

    it('is inspected as what it names, in its session and alone', () => {
      const note = names.length === 0 ? [] : [`${file} names ${names.join(', ')} (not run)`];
      const call = inspected[index];
      expect(call?.notes ?? []).toEqual(note);
      const [tensor] = (file === ARGUMENT.file ? call?.inputs : call?.outputs) ?? [];
      expect(tensor?.error === undefined).toBe(verdict === 'pass');
      const alone = inspectedFiles.get(index);
      expect(alone === undefined).toBe(file !== ARGUMENT.file);
      if (alone === undefined) return;
      expectPlain(alone);
      for (const line of note) expect(alone.stdout).toContain(line);
    });

    it('is replayed only where no argument or result hangs on it', () => {
      const result = resultOf(replayed, index);
      expect(result.verdict).toBe(verdict);
      expect(result.reason ?? '').toMatch(reason);
      expect(result.reason ?? '').not.toContain('\n');
    });
  },
);

describe('a session full of them', () => {
  it('is told plainly', () => {
    for (const one of [listed, told]) expectPlain(one);
    expect([listed.code, listed.stderr, told.stderr]).toEqual([0, '', '']);
    expect(told.stdout).toContain(`${ATTEMPTS.length + 1} calls`);
  });

  it('is a failure, and without consent one that was not compared', () => {
    expect([replayed.code, refused.code]).toEqual([1, 3]);
    expect(new Set(refused.calls.map(({ verdict }) => verdict))).toEqual(new Set(['skipped']));
    expect(refused.calls[0]?.reason).toContain(`not allowed: ${DEMO}`);
  });

  it('does not keep the good calls in it from being replayed', () => {
    expect(resultOf(replayed, ATTEMPTS.length).verdict).toBe('pass');
  });
});

it('a file of which nothing can be read is refused with exit code 2 and one line', () => {
  const index = ATTEMPTS.findIndex(({ what }) => what.startsWith('a pickle without an archive'));
  const alone = inspectedFiles.get(index);
  expect([alone?.code, alone?.stdout]).toEqual([2, '']);
  expect(alone?.stderr).toContain('not a torch.save file');
});
