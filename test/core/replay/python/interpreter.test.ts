import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findInterpreter, pythonEnvironment } from '../../../../src/core/replay/python/interpreter.js';
import { temporaryDirectory } from '../../../support/fir.js';

test('the interpreter is the one that is named, else that of the virtual environment, else python3', () => {
  const environment = temporaryDirectory();
  mkdirSync(join(environment, 'bin'));
  writeFileSync(join(environment, 'bin', 'python3'), '');
  expect(findInterpreter('venv/bin/python', {}, '/here')).toBe('/here/venv/bin/python');
  expect(findInterpreter('python3.12', {}, '/here')).toBe('python3.12');
  expect(findInterpreter(undefined, { VIRTUAL_ENV: environment }, '/here')).toBe(
    join(environment, 'bin', 'python3'),
  );
  expect(findInterpreter(undefined, { VIRTUAL_ENV: '/gone' }, '/here')).toBe('python3');
});

test('a worker is not told to record, nor to import from the working directory', () => {
  const env = { FLASHINFER_LOGLEVEL: '10', FLASHINFER_DUMP_DIR: '/d', FLASHINFER_WORKSPACE_BASE: '/w' };
  expect(pythonEnvironment({ ...env, PYTHONPATH: ':lib:/opt/a:.:/opt/b' })).toEqual({
    FLASHINFER_WORKSPACE_BASE: '/w',
    PYTHONPATH: '/opt/a:/opt/b',
  });
  expect(pythonEnvironment({ PYTHONPATH: '.' })).toEqual({});
});
