import fc from 'fast-check';
import { expect, test } from 'vitest';
import { printable, printableLines } from '../../src/cli/printable.js';

const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

test.each([
  ['an escape sequence that clears the screen', '\u001b[2Jgemm', '\\x1b[2Jgemm'],
  ['a title-setting sequence', '\u001b]0;owned\u0007', '\\x1b]0;owned\\x07'],
  ['the eight-bit form of an escape sequence', '\u009b31mred', '\\x9b31mred'],
  ['delete and backspace', 'a\u007f\b', 'a\\x7f\\x08'],
  ['a carriage return that would overwrite the line', 'pass\rfail', 'pass\\rfail'],
  ['a newline', 'one\ntwo', 'one\\ntwo'],
  ['a tab', 'a\tb', 'a\\tb'],
  ['text that reads backwards', 'a\u202egnp.exe', 'a\\u202egnp.exe'],
  ['isolates', '\u2066x\u2069', '\\u2066x\\u2069'],
  ['line separators', '\u2028\u2029', '\\u2028\\u2029'],
  ['half a surrogate pair', 'a\ud800b', 'a\\ud800b'],
])('%s is shown, not obeyed', (_, text, expected) => {
  expect(printable(text)).toBe(expected);
});

test('ordinary text of any language stays as it is', () => {
  const text = 'InferenceSession.run «größe» 形状 مصفوفة 😀 e\u0301';
  expect(printable(text)).toBe(text);
});

test('whatever the text, nothing that a terminal obeys is left', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => !UNSAFE.test(printable(text))));
});

test('text of several lines keeps its lines, and only those', () => {
  expect(printableLines('one\r\n\ttwo\u001b[0m\n')).toEqual(['one', '    two\\x1b[0m']);
});

test('no line of a text is a command to a CI', () => {
  expect(printableLines('a\n::error::b\n  ::set-output\n##[group]c\nd ::e')).toEqual([
    'a',
    '\\x3a:error::b',
    '  \\x3a:set-output',
    '\\x23#[group]c',
    'd ::e',
  ]);
});
