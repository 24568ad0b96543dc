import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { repository, temporaryDirectory } from '../support/fir.js';
import { fixturePath } from '../support/flashinfer-fixtures.js';
import { replayJson } from '../support/replay-json.js';
import { sharedDirectory } from './captured.js';
import { captureIn, type PythonTools, pythonTools } from './captured-python.js';
import { Probe, SETUP_MS, TIMEOUT_MS, told } from './flashinfer-probe.js';

const root = sharedDirectory();
const probe = new Probe(root);
let tools: PythonTools;

beforeAll(async () => {
  await probe.setUp();
  tools = await pythonTools();
}, SETUP_MS);

test(
  'nothing but torch is needed: numpy may be missing',
  async () => {
    const without = temporaryDirectory();
    writeFileSync(join(without, 'numpy.py'), 'raise ModuleNotFoundError("none here", name="numpy")\n');
    const session = await probe.record('plain', ['layouts', 'nesting']);
    const before = process.env['PYTHONPATH'];
    process.env['PYTHONPATH'] = without;
    try {
      const { calls, code } = await probe.replay(session);
      expect(new Set(calls.map(({ verdict }) => verdict))).toEqual(new Set(['pass', 'ran']));
      expect(code).toBe(0);
    } finally {
      if (before === undefined) delete process.env['PYTHONPATH'];
      else process.env['PYTHONPATH'] = before;
    }
  },
  TIMEOUT_MS,
);

describe('a difference inside of a container', () => {
  test.each([
    ['list_out', 'return [x + 1, x + 3]', 'result__1'],
    ['list_out', 'return [x + 1]', 'result'],
    ['list_out', 'return (x + 1, x + 2)', 'result'],
    ['dict_out', 'return {"sum": x.sum(), "twice": x * 3}', 'result__value_1'],
    ['dict_out', 'return {"sum": x.sum(), "thrice": x * 2}', 'result'],
    ['tree_out', 'return x + 1, (x + 2, x + 9), {"w": x + 4, "n": 5}, 2.5, None', 'result_1__1'],
    ['tree_out', 'return x + 1, (x + 2, x + 3), {"w": x + 4, "n": 6}, 2.5, None', 'result'],
    ['tree_out', 'return x + 1, (x + 2, x + 3), {"w": x + 4, "n": 5}, 2.5, 0', 'result'],
  ])('of %s is found: %s', async (name, body, key) => {
    const file = join(temporaryDirectory(), 'mine.py');
    writeFileSync(file, `def wrong(x):\n    ${body}\n`);
    const flags = ['--include', name, '--target', `${name}=${file}#wrong`];
    const { calls, code } = await probe.replay(fixturePath('nested_pt'), { flags });
    const differing = calls[0]?.outputs.filter(({ verdict }) => verdict === 'mismatch');
    expect(differing?.map((output) => output.key)).toEqual([key]);
    expect([calls[0]?.verdict, code]).toEqual(['mismatch', 1]);
  });
});

test(
  'a session of Python and Node replays as one, each call in its own language, from any directory',
  async () => {
    await captureIn(root, tools.command('plain', 'node', 'wrapper'), { env: tools.env });
    const python = ['--python', tools.python, '--pythonpath', fixturePath('py'), '--device', 'cpu'];
    const consent = ['--allow', 'fir_demo_kernels', '--app', repository];
    const document = await replayJson('session', [...python, ...consent], { cwd: root });
    const verdicts = told(document);
    expect(verdicts).toContain('BatchDemoWrapper.run pass');
    expect(verdicts.filter((line) => / (?:pass|ran)$/.test(line))).toEqual(verdicts);
    expect(document.calls.length).toBe(7);
  },
  TIMEOUT_MS,
);
