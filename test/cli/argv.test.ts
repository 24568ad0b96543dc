import { expect, test } from 'vitest';
import { splitAtDoubleDash, wantsJson } from '../../src/cli/argv.js';

test.each([
  ['-o s -- node app.js -o x --help -- y', ['-o', 's'], ['node', 'app.js', '-o', 'x', '--help', '--', 'y']],
  ['-o s', ['-o', 's'], undefined],
  ['-o s --', ['-o', 's'], []],
  ['-- -- node app.js', [], ['node', 'app.js']],
  ['-- node app.js -- --flag', [], ['node', 'app.js', '--', '--flag']],
])('%s', (line, own, rest) => {
  expect(splitAtDoubleDash(line.split(' '))).toEqual({ own, rest });
});

test.each([
  ['inspect s --json', true],
  ['replay s --reporter json', true],
  ['replay s --reporter=json', true],
  ['replay s --reporter json:out.json', false],
  ['capture -- app --json', false],
])('%s asks for a JSON document on stdout: %s', (line, expected) => {
  expect(wantsJson(line.split(' '))).toBe(expected);
});
