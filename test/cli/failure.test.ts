import { readFileSync } from 'node:fs';
import { Parser } from '@oclif/core';
import { boolean } from '@oclif/core/flags';
import { expect, test } from 'vitest';
import { closest, errorDocument, failureFrom } from '../../src/cli/failure.js';
import { ERROR_CODES, FirError } from '../../src/core/errors.js';

test.each([
  ['USAGE', 2],
  ['NOT_A_SESSION', 2],
  ['DEVICE_MISSING', 2],
  ['INTERNAL', 70],
  ['INTERRUPTED', 130],
] as const)('%s exits with %i', (code, exitCode) => {
  expect(failureFrom(new FirError(code, 'x'))).toMatchObject({ code, exitCode });
});

test('of all codes only bugs and interruptions are not exit 2', () => {
  const others = ERROR_CODES.filter((code) => failureFrom(new FirError(code, 'x')).exitCode !== 2);
  expect(others).toEqual(['INTERRUPTED', 'INTERNAL']);
});

test.each([
  ['COMMAND_NOT_FOUND', 127],
  ['COMMAND_NOT_EXECUTABLE', 126],
  ['CAPTURE_FAILED', 125],
  ['USAGE', 125],
  ['INTERNAL', 125],
] as const)('capture with %s exits with %i, as env and timeout do', (code, exitCode) => {
  expect(failureFrom(new FirError(code, 'x'), 'capture').exitCode).toBe(exitCode);
});

test('anything unknown is a bug of fir', () => {
  const { code, exitCode, message } = failureFrom(new TypeError('x is undefined'));
  expect({ code, exitCode, message }).toEqual({
    code: 'INTERNAL',
    exitCode: 70,
    message: 'a bug in fir: x is undefined',
  });
  expect(failureFrom('just a string').exitCode).toBe(70);
});

test('what the operating system refuses is no bug', () => {
  let thrown: unknown;
  try {
    readFileSync('/nowhere/at/all');
  } catch (error) {
    thrown = error;
  }
  expect(failureFrom(thrown)).toMatchObject({ code: 'NOT_FOUND', where: '/nowhere/at/all', exitCode: 2 });
});

test('an unknown flag is wrong usage, with the flag that was meant', async () => {
  const parsed = Parser.parse(['--joson'], { flags: { json: boolean(), stats: boolean() } });
  const thrown: unknown = await parsed.catch((error: unknown) => error);
  expect(failureFrom(thrown, 'inspect')).toMatchObject({
    code: 'USAGE',
    message: 'Nonexistent flag: --joson',
    hint: 'Did you mean --json? See fir inspect --help',
    exitCode: 2,
  });
});

test('the document leaves out what there is not to say', () => {
  const failure = failureFrom(new FirError('NOT_FOUND', 'no such session', { where: 'fir_dumps' }));
  expect(errorDocument(failure)).toEqual({
    format: 'fir.error/1',
    error: { code: 'NOT_FOUND', message: 'no such session', where: 'fir_dumps' },
    exitCode: 2,
  });
});

test.each([
  ['inspct', 'inspect'],
  ['replya', 'replay'],
  ['Capture', 'capture'],
  ['zzz', undefined],
])('for %s the closest command is %s', (text, expected) => {
  expect(closest(text, ['capture', 'inspect', 'replay', 'help'])).toBe(expected);
});
