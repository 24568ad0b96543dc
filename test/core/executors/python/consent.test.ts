import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type CallSpec,
  floats,
  floatsOf,
  MODULES,
  PythonWorkerClient,
} from '../../../support/python-worker.js';
import { makeTempDir } from '../../../support/temp-dir.js';

const KNOWN = join(MODULES, 'known');
const [ONE, ONE_BYTES] = floats([1]);
const ON_ONE = { tensors: { arg_0: ONE }, storages: [ONE_BYTES] };

let worker: PythonWorkerClient;
beforeAll(async () => {
  worker = await PythonWorkerClient.start({ setup: { python_path: [KNOWN, MODULES] } });
});
afterAll(() => worker.close());

async function refusal(spec: CallSpec, from = worker): Promise<string> {
  const { outcome, phases } = await from.run(spec);
  expect(outcome.end).toBe('refused');
  expect(phases).toEqual([]);
  return `${outcome.error?.code} ${outcome.error?.message}`;
}

const text = (value: string) => ({ input: { arg_0: value } });

describe('without consent nothing is imported or called', () => {
  it('of a module that no pattern names', async () => {
    const path = join(makeTempDir(), 'made');
    expect(await refusal({ module: 'os', function: 'system', ...text(`touch ${path}`) })).toBe(
      "NOT_ALLOWED module 'os' is not allowed; add --allow 'os'",
    );
    expect(existsSync(path)).toBe(false);
  });

  it.each([
    ['a module in a module', 'subprocess.call'],
    ['a path of three', 'a.b.c'],
    ['a path without end', 'Counter.'],
    ['no name at all', ''],
    ['an expression', 'describe()'],
    ['a dunder of the module', '__loader__'],
    ['a dunder of a class', 'Counter.__class__'],
    ['a class that is a dunder', '__builtins__.eval'],
    ['globals', 'describe.__globals__'],
  ])('by a path to a function that is %s', async (_, name) => {
    expect(await refusal({ function: name, ...text('x') })).toMatch(/^EXPORT_NOT_FOUND /);
  });

  it.each([
    ['spawn_command', "'spawn_command' of module 'worker_demo' belongs to module 'subprocess'"],
    ['Paint', "'Paint' of module 'worker_demo' belongs to module 'worker_enums'"],
  ])('that the module only imported: %s', async (name, expected) => {
    expect(await refusal({ function: name, ...text('true') })).toBe(`NOT_ALLOWED ${expected}`);
  });

  it.each([
    ['relative', '..os', 'is no name of a Python module'],
    ['empty', '', 'is no name of a Python module'],
    ['a path', 'a/b', 'is no name of a Python module'],
    ['a program', 'json.__main__', 'would run a program'],
    ['the entry file', '__main__', 'would run a program'],
    ['endless', `${'a'.repeat(600)}`, 'is no name of a Python module'],
  ])('by a name of a module that is %s', async (_, module, expected) => {
    const open = await PythonWorkerClient.startForTest({ setup: { allow: ['*'] } });
    expect(await refusal({ module, function: 'call', ...text('x') }, open)).toContain(expected);
  });

  it('of the class that an object is said to have', async () => {
    const makeOs: CallSpec = { function: '__init__', kind: 'constructor', positional: ['arg_0'] };
    expect(await refusal({ ...makeOs, class: { module: 'subprocess', qualname: 'Popen' } })).toBe(
      "NOT_ALLOWED module 'subprocess' is not allowed; add --allow 'subprocess'",
    );
    expect(
      await refusal({ ...makeOs, class: { module: 'worker_demo', qualname: 'subprocess.Popen' } }),
    ).toContain('EXPORT_NOT_FOUND');
    expect(await refusal({ ...makeOs, class: { module: 'worker_demo', qualname: '__loader__' } })).toContain(
      'EXPORT_NOT_FOUND',
    );
    expect(
      await refusal({ ...makeOs, class: { module: 'worker_demo', qualname: 'f.<locals>.C' } }),
    ).toContain('EXPORT_NOT_FOUND');
  });

  it('for a pattern of other case', async () => {
    const other = await PythonWorkerClient.startForTest({ setup: { allow: ['WORKER_*'] } });
    expect(await refusal({ function: 'describe' }, other)).toContain("module 'worker_demo' is not allowed");
  });
});

describe('a pattern may name', () => {
  it('one function of a module', async () => {
    const other = await PythonWorkerClient.startForTest({ setup: { allow: ['worker_demo.describe'] } });
    expect((await other.run({ function: 'describe', ...text('a') })).outcome.end).toBe('returned');
    expect(await refusal({ function: 'give', ...text('none') }, other)).toContain(
      "module 'worker_demo' is not allowed",
    );
  });

  it('the members of a class, whose object is then allowed too', async () => {
    const other = await PythonWorkerClient.startForTest({ setup: { allow: ['worker_demo.Counter*'] } });
    const { outcome } = await other.run({
      function: 'Counter.__init__',
      kind: 'constructor',
      class: { module: 'worker_demo', qualname: 'Counter' },
      input: { arg_1: 3 },
      positional: ['arg_0', 'arg_1'],
      signature: '(self, start=0)',
      makes: ['c'],
    });
    expect(outcome.end).toBe('returned');
  });
});

describe("of FlashInfer's modules", () => {
  it.each([
    ['recorded', 2],
    ['with_options', 3],
    ['by_attribute', 4],
    ['moved', 6],
  ])('what its recorder decorates is known: %s', async (name, expected) => {
    expect(floatsOf(await worker.run({ module: 'flashinfer.ops', function: name, ...ON_ONE }))).toEqual([
      expected,
    ]);
  });

  it('so are classes, by their decorated members', async () => {
    const object = { class: { module: 'flashinfer.ops', qualname: 'DemoWrapper' } };
    await worker.run({
      module: 'flashinfer.ops',
      function: 'DemoWrapper.__init__',
      kind: 'constructor',
      ...object,
      signature: '(self, size)',
      input: { arg_1: 5 },
      positional: ['arg_0', 'arg_1'],
      makes: ['w'],
    });
    const run = { module: 'flashinfer.ops', kind: 'method', self: 'w', ...object } as const;
    const ran = await worker.run({
      ...run,
      function: 'DemoWrapper.run',
      tensors: { arg_1: ONE },
      storages: [ONE_BYTES],
      positional: ['arg_0', 'arg_1'],
    });
    expect(floatsOf(ran)).toEqual([5]);
    const path = join(makeTempDir(), 'made');
    expect(
      await refusal({
        ...run,
        function: 'DemoWrapper.secret',
        input: { arg_1: path },
        positional: ['arg_0', 'arg_1'],
      }),
    ).toContain('flashinfer.ops.DemoWrapper.secret is none of the functions that FlashInfer records');
    expect(existsSync(path)).toBe(false);
  });

  it('anything else needs a pattern', async () => {
    const path = join(makeTempDir(), 'made');
    const helper = { module: 'flashinfer.ops', function: 'helper', ...text(path) };
    expect(await refusal(helper)).toBe(
      "NOT_ALLOWED flashinfer.ops.helper is none of the functions that FlashInfer records; add --allow 'flashinfer.ops'",
    );
    expect(existsSync(path)).toBe(false);
    const other = await PythonWorkerClient.startForTest({
      setup: { python_path: [KNOWN], allow: ['flashinfer.ops'] },
    });
    expect((await other.run(helper)).outcome.end).toBe('returned');
    expect(existsSync(path)).toBe(true);
  });

  it('collective operations are not imported, since they would wait for other ranks', async () => {
    expect(await refusal({ module: 'flashinfer.comm', function: 'all_reduce', ...ON_ONE })).toBe(
      "NOT_ALLOWED module 'flashinfer.comm' is for collective operations, which would wait for ranks that are not here; add --allow 'flashinfer.comm'",
    );
    const { outcome } = await worker.run({ function: 'where' });
    expect(JSON.stringify(outcome.result)).not.toContain('flashinfer.comm');
  });
});

describe('the working directory', () => {
  const HOSTILE = [
    'torch',
    'json',
    'os',
    'struct',
    'importlib',
    'posixpath',
    'numpy',
    'fir_replay',
    'sitecustomize',
  ];

  async function pathFrom(cwd: string, env: NodeJS.ProcessEnv): Promise<string> {
    const other = await PythonWorkerClient.startForTest({ cwd, env });
    const { outcome } = await other.run({ function: 'where' });
    expect(outcome.end).toBe('returned');
    return JSON.stringify(outcome.result);
  }

  it('gives no module, whatever lies there', async () => {
    const cwd = makeTempDir();
    const mark = join(makeTempDir(), 'mark');
    for (const name of HOSTILE) writeFileSync(join(cwd, `${name}.py`), `open(${JSON.stringify(mark)}, 'w')`);
    const found = await pathFrom(cwd, {});
    expect(found).not.toContain(`"${join(cwd)}"`.slice(0, -1).concat('",'));
    expect(existsSync(mark)).toBe(false);
  });

  it('is taken off the path that the environment names, also by another name', async () => {
    const cwd = makeTempDir();
    const link = join(makeTempDir(), 'link');
    symlinkSync(cwd, link);
    const mark = join(makeTempDir(), 'mark');
    for (const name of ['torch', 'json', 'struct', 'numpy'])
      writeFileSync(join(cwd, `${name}.py`), `open(${JSON.stringify(mark)}, 'w')`);
    const kept = makeTempDir();
    mkdirSync(join(kept, 'more'));
    const found = await pathFrom(cwd, { PYTHONPATH: `:.:${link}:${cwd}:more:${kept}` });
    expect(found).toContain(kept);
    expect(found).not.toContain(link);
    expect(existsSync(mark)).toBe(false);
  });

  it("is no place of the worker's own modules either", async () => {
    const { outcome } = await worker.run({ function: 'where' });
    const listed = JSON.stringify(outcome.result);
    expect(listed).toContain('"fir_replay.frames"');
    expect(listed).not.toContain('"frames"');
    expect(listed).not.toContain('main/python');
  });
});
