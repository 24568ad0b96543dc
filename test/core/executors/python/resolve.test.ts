import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type CallSpec,
  floats,
  floatsOf,
  MODULES,
  type Outcome,
  PythonWorkerClient,
} from '../../../support/python-worker.js';

const CANDIDATE = join(MODULES, 'worker_candidate.py');
const [ONE, ONE_BYTES] = floats([1]);
const ON_ONE = { tensors: { arg_0: ONE }, storages: [ONE_BYTES] };

let worker: PythonWorkerClient;
beforeAll(async () => {
  worker = await PythonWorkerClient.start();
});
afterAll(() => worker.close());

async function run(spec: CallSpec): Promise<Outcome> {
  return (await worker.run(spec)).outcome;
}

/** Keys `arg_0` (the object), `arg_1`, … of a method's arguments. */
function method(
  name: string,
  self: string | null,
  values: unknown[],
  more: Partial<CallSpec> = {},
): CallSpec {
  const input = Object.fromEntries(values.map((value, index) => [`arg_${index + 1}`, value]));
  return {
    function: name,
    kind: 'method',
    self,
    class: { module: 'worker_demo', qualname: 'Counter' },
    input,
    positional: ['arg_0', ...Object.keys(input)],
    ...more,
  };
}

function construction(
  qualname: string,
  key: string,
  values: unknown[],
  signature: string,
  more: Partial<CallSpec> = {},
): CallSpec {
  return {
    ...method(`${qualname}.__init__`, null, values),
    kind: 'constructor',
    class: { module: 'worker_demo', qualname },
    signature,
    makes: [key],
    function: '__init__',
    ...more,
  };
}

describe('functions', () => {
  it('are found by name, and called without gradients', async () => {
    expect(floatsOf(await worker.run({ function: 'twice', ...ON_ONE }))).toEqual([2]);
    expect(await run({ function: 'Counter.double', input: { arg_0: 4 } })).toMatchObject({ result: 8 });
  });

  it.each([
    [
      'a module that is not there',
      { module: 'worker_gone', function: 'f' },
      'MODULE_NOT_FOUND',
      "there is no Python module 'worker_gone'",
    ],
    [
      'a package that is not there',
      { module: 'worker_gone.sub', function: 'f' },
      'MODULE_NOT_FOUND',
      "there is no Python module 'worker_gone.sub'",
    ],
    [
      'a function that is gone',
      { function: 'gone' },
      'EXPORT_NOT_FOUND',
      "module 'worker_demo' has no function 'gone'",
    ],
    [
      'a member that is gone',
      { function: 'Counter.gone' },
      'EXPORT_NOT_FOUND',
      "module 'worker_demo' has no function 'Counter.gone'",
    ],
    [
      'a module that lacks another',
      { module: 'worker_broken', function: 'f' },
      'PYTHON_ERROR',
      "module 'worker_broken' could not be imported: ModuleNotFoundError: No module named 'does_not_exist_anywhere'",
    ],
    [
      'a module that leaves',
      { module: 'worker_leaving', function: 'f' },
      'PYTHON_ERROR',
      "module 'worker_leaving' could not be imported: SystemExit: 9",
    ],
  ])('are refused with one line: %s', async (_, spec, code, message) => {
    expect((await run(spec)).error).toMatchObject({ code, message });
    expect((await run(spec)).error).toMatchObject({ code, message });
  });

  it('of a module that failed to import come with its traceback alone', async () => {
    const { error } = await run({ module: 'worker_broken', function: 'f' });
    expect(error?.stack).toContain('worker_broken.py", line 1');
    expect(error?.stack).not.toContain('fir_replay');
    expect(error?.stack).not.toContain('importlib');
  });
});

describe('objects', () => {
  it('are made by their constructor, live between calls, and are let go', async () => {
    await run(construction('Counter', 'a', [10], '(self, start=0)'));
    expect(await run(method('Counter.add', 'a', [5]))).toMatchObject({ result: 15 });
    expect(await run(method('add', 'a', [5]))).toMatchObject({ result: 20 });
    worker.send({ type: 'drop', keys: ['a', 'never made'] });
    expect(await run(method('Counter.add', 'a', [5]))).toMatchObject({
      end: 'refused',
      error: { code: 'NOT_REPLAYABLE' },
    });
  });

  it('of a subclass are made by the inherited constructor that was recorded', async () => {
    const made = await run(
      construction('NamedCounter', 'b', [7], '(self, start=0)', { function: 'NamedCounter.__init__' }),
    );
    expect(made).toMatchObject({ end: 'returned', notes: [] });
    expect(await run(method('NamedCounter.add', 'b', [1]))).toMatchObject({ result: 8 });
    expect(await run(method('NamedCounter.label', 'b', []))).toMatchObject({
      end: 'threw',
      error: { name: 'AttributeError' },
    });
    await run(construction('NamedCounter', 'b', ['n', 3], '(self, name, start)'));
    expect(await run(method('NamedCounter.label', 'b', []))).toMatchObject({ result: 'n 3' });
  });

  it('are made by their own constructor, with a note, where the recorded one is gone', async () => {
    const made = await run(construction('NamedCounter', 'c', ['n', 3], '(self, label)'));
    expect(made.notes).toEqual(['NamedCounter has no constructor (self, label) any more: its own is called']);
    expect(await run(method('NamedCounter.label', 'c', []))).toMatchObject({ result: 'n 3' });
  });

  it('of a class inside a class are reached by its name', async () => {
    await run(construction('Counter.Inner', 'd', ['you'], '(self, name)'));
    expect(await run(method('Inner.hello', 'd', []))).toMatchObject({ result: 'hello you' });
  });

  it('whose class wants arguments to be made at all are an error of the call', async () => {
    expect(await run(construction('Needy', 'e', [1], '(self, needed)'))).toMatchObject({
      end: 'threw',
      error: { name: 'TypeError' },
    });
  });

  it('are passed to functions of the module that take them first', async () => {
    await run(construction('Counter', 'f', [1], '(self, start=0)'));
    expect(await run(method('Counter.reset', 'f', [50]))).toMatchObject({ result: 50 });
    expect(await run(method('Counter.gone', 'f', []))).toMatchObject({
      error: {
        code: 'EXPORT_NOT_FOUND',
        message: "module 'worker_demo' has no method 'gone' in class 'Counter', nor a function of that name",
      },
    });
  });

  it('are passed as other arguments by where they were', async () => {
    await run(construction('Counter', 'g', [1], '(self, start=0)'));
    await run(construction('Counter', 'h', [100], '(self, start=0)'));
    const node = { type: 'Counter', repr: '<worker_demo.Counter object at 0x7F31>' };
    const uses = [{ self_id: String(0x7f31), class: 'Counter', key: 'h' }];
    expect(await run(method('Counter.add', 'g', [1, node], { uses }))).toMatchObject({ result: 102 });
  });

  it('come from functions too', async () => {
    await run({ function: 'make_counter', input: { arg_0: 30 }, makes: ['i'] });
    expect(await run(method('Counter.add', 'i', [1]))).toMatchObject({ result: 31 });
  });
});

describe('targets', () => {
  const target = (name: string) => ({ target: { file: CANDIDATE, export: name } });

  it('stand in for a function, whatever the recorded module is', async () => {
    const spec = { function: 'twice', module: 'never.allowed', ...ON_ONE };
    expect(floatsOf(await worker.run({ ...spec, ...target('twice') }))).toEqual([3]);
  });

  it('stand in for a class and its members', async () => {
    await run(construction('Counter', 'j', [1], '(self, start=0)', target('Counter')));
    expect(await run(method('Counter.add', 'j', [1], target('Counter')))).toMatchObject({ result: 102 });
    expect(await run(method('Counter.add', 'j', [1], target('Counter.add')))).toMatchObject({ result: 103 });
    expect(await run(method('Counter.add', 'j', [1], target('add')))).toMatchObject({ result: 1103 });
    expect(await run(method('Counter.reset', 'j', [1], target('Counter')))).toMatchObject({
      error: { code: 'EXPORT_NOT_FOUND' },
    });
  });

  it('may be a function that makes the object', async () => {
    await run(construction('Counter', 'k', [5], '(self, start=0)', target('make')));
    expect(await run(method('Counter.add', 'k', [1], target('Counter')))).toMatchObject({ result: 106 });
  });

  it('that are not there are refused', async () => {
    expect((await run({ function: 'twice', ...target('gone') })).error).toMatchObject({
      code: 'EXPORT_NOT_FOUND',
    });
    const missing = { file: `${CANDIDATE}.py`, export: 'twice' };
    expect((await run({ function: 'twice', target: missing })).error).toMatchObject({
      code: 'MODULE_NOT_FOUND',
    });
  });
});
