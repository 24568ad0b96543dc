import { expect, test } from 'vitest';
import { workerEnvironment } from '../../../src/core/replay/worker-environment.js';

test.each([
  ['--require /p/dist/preload/register.cjs', undefined],
  ['--require "/p q/dist/preload/register.cjs"', undefined],
  ['--require=/p/dist/preload/register.cjs --no-warnings', '--no-warnings'],
  ['-r /p/dist/preload/register.cjs --require ./mine.cjs', '--require ./mine.cjs'],
  ['--import tsx --max-old-space-size=4096', '--import tsx --max-old-space-size=4096'],
  ['--require "./a b.cjs" --require "/p/dist/preload/register.cjs"', '--require "./a b.cjs"'],
  ['', undefined],
])('NODE_OPTIONS %j leaves %j', (nodeOptions, left) => {
  expect(workerEnvironment({ NODE_OPTIONS: nodeOptions, FIR_LOGLEVEL: '10', HOME: '/h' })).toEqual({
    HOME: '/h',
    ...(left === undefined ? {} : { NODE_OPTIONS: left }),
  });
});

test('the recorder is left out, and variables of the program that begin alike stay', () => {
  const recorder = { FIR_LOGLEVEL: '10', FIR_DUMP_DIR: '/d', FIR_INSTRUMENT: 'a.js', FIR_CAPTURE_ID: 'x' };
  expect(workerEnvironment({ ...recorder, FIR_DEMO_DRIFT: '3' })).toEqual({ FIR_DEMO_DRIFT: '3' });
});
