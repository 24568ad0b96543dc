import { expect, test } from 'vitest';
import { type ReplayFlags, replayOptionsFrom } from '../../src/cli/replay-options.js';

const NOTHING: ReplayFlags = {
  app: undefined,
  allow: undefined,
  target: undefined,
  call: undefined,
  include: undefined,
  exclude: undefined,
  pid: undefined,
  preset: undefined,
  tolerance: undefined,
  ignore: undefined,
  as: undefined,
  nan: 'equal',
  ulp: undefined,
  device: 'auto',
  'fail-fast': false,
  timeout: undefined,
  repeat: undefined,
  seed: 0,
  jobs: 1,
  'map-path': undefined,
  'node-option': undefined,
  python: undefined,
  pythonpath: undefined,
  'trust-graph-inputs': false,
  stateful: undefined,
  'allow-incomplete': false,
  debug: false,
};

function optionsOf(flags: Partial<ReplayFlags>) {
  return replayOptionsFrom('session', { ...NOTHING, ...flags }, new AbortController().signal);
}

test('flags become options', () => {
  const options = optionsOf({
    call: '3,10-20',
    timeout: 2,
    tolerance: ['mm_*:result=1e-2,1e-3,0.99'],
    'map-path': ['/models/a=b.onnx=./b.onnx'],
    stateful: ['Attention=plan, begin'],
    target: ['gemm=./mine.js#fast'],
  });
  expect(options).toMatchObject({
    path: 'session',
    timeoutMs: 2000,
    select: {
      call: [
        { first: 3, last: 3 },
        { first: 10, last: 20 },
      ],
    },
    comparison: { rules: [{ pattern: 'mm_*', key: 'result', rtol: 1e-2, atol: 1e-3, ratio: 0.99 }] },
    mapPath: [['/models/a', 'b.onnx=./b.onnx']],
    targets: [{ function: 'gemm', file: './mine.js', export: 'fast' }],
  });
  expect({ ...options.stateful }).toEqual({ Attention: ['plan', 'begin'] });
});

test('without a preset the session decides', () => {
  expect(optionsOf({}).comparison.preset).toBeUndefined();
  expect(optionsOf({ preset: 'exact' }).comparison.preset).toBe('exact');
});

test('what a Python replay needs is passed on', () => {
  expect(
    optionsOf({ python: 'venv/bin/python', pythonpath: ['src', 'lib'], 'trust-graph-inputs': true }),
  ).toMatchObject({ python: 'venv/bin/python', pythonPath: ['src', 'lib'], trustGraphInputs: true });
  expect(optionsOf({ device: 'cuda:1' }).device).toBe('cuda:1');
});

test('a class may be called like a member of Object', () => {
  const { stateful } = optionsOf({ stateful: ['__proto__=plan'] });
  expect(Object.keys(stateful)).toEqual(['__proto__']);
  expect(({} as Record<string, unknown>)['plan']).toBeUndefined();
});

test.each([
  [{ device: 'tpu' }, 'USAGE'],
  [{ call: '3-1' }, 'USAGE'],
  [{ tolerance: ['mm=1'] }, 'USAGE'],
  [{ 'map-path': ['/only/one'] }, 'USAGE'],
  [{ stateful: ['=plan'] }, 'USAGE'],
  [{ target: ['gemm=./mine.js'] }, 'USAGE'],
  [{ target: ['gemm=./mine.js#'] }, 'USAGE'],
] as const)('%j is refused with %s', (flags, code) => {
  expect(() => optionsOf(flags as Partial<ReplayFlags>)).toThrowError(expect.objectContaining({ code }));
});
