import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { repository, runFir, temporaryDirectory } from '../support/fir.js';
import { pythonWithTorch } from '../support/python.js';
import { replayJson } from '../support/replay-json.js';

const FIXTURES = join(repository, 'test/fixtures/flashinfer');
const TIMEOUT_MS = 120_000;

let python = '';
beforeAll(async () => {
  python = await pythonWithTorch();
}, 900_000);

/** Verdicts by dump. */
async function verdictsOf(session: string): Promise<Record<string, string>> {
  const code = ['--python', python, '--pythonpath', join(FIXTURES, 'py'), '--allow', 'fir_demo_kernels'];
  const { calls, stderr } = await replayJson(session, [...code, '--device', 'cpu']);
  expect(stderr).toBe('');
  return Object.fromEntries(calls.map(({ dump, verdict }) => [dump, verdict]));
}

const wholes = new Map<string, Promise<Record<string, string>>>();

function wholeOf(name: string): Promise<Record<string, string>> {
  const known = wholes.get(name) ?? verdictsOf(join(FIXTURES, name));
  wholes.set(name, known);
  return known;
}

test.each([
  ['stateful_pt', ['--include', '*.run', '--last', '1'], 6],
  // The second process with the same objects.
  ['multiprocess_pt', ['--pid', '19651', '--include', '*.run', '--last', '1'], undefined],
  ['nested_pt', ['--include', 'nested', '--include', 'schedule'], undefined],
  ['graph_flush', ['--include', 'scaled_mm', '--last', '1'], 1],
  ['crashed_pt', ['--status', 'unfinished'], undefined],
  ['stateless_pt', ['--has-nan'], 1],
  ['stateless_pt', ['--dtype', 'bfloat16,int64', '--format', 'safetensors'], undefined],
  ['filtered_pt', ['--include', '*.run'], undefined],
] as const)(
  'of %s %j replays with the verdicts that it has in the whole',
  async (name, flags, calls) => {
    const out = join(temporaryDirectory(), 'out');
    const { code, stderr } = await runFir(['filter', join(FIXTURES, name), '-o', out, ...flags]);
    expect([code, stderr]).toEqual([0, '']);
    const part = await verdictsOf(out);
    expect(await wholeOf(name)).toMatchObject(part);
    expect(Object.keys(part).length).toBeGreaterThan(0);
    if (calls !== undefined) expect(Object.keys(part)).toHaveLength(calls);
  },
  TIMEOUT_MS,
);
