import { expect, test } from 'vitest';
import { loadPaint } from '../../src/cli/colour.js';

const terminal = { isTTY: true, getColorDepth: () => 8 };
const pipe = {};

test.each([
  ['a terminal', terminal, {}, true],
  ['a pipe', pipe, {}, false],
  ['a terminal with NO_COLOR', terminal, { NO_COLOR: '1' }, false],
  ['a terminal with an empty NO_COLOR', terminal, { NO_COLOR: '' }, true],
  ['a pipe with FORCE_COLOR', pipe, { FORCE_COLOR: '1' }, true],
  ['a terminal with FORCE_COLOR=0', terminal, { FORCE_COLOR: '0' }, false],
  ['FORCE_COLOR beside NO_COLOR', pipe, { FORCE_COLOR: '3', NO_COLOR: '1' }, true],
  ['a dumb terminal', terminal, { TERM: 'dumb' }, false],
  ['a terminal of one colour', { isTTY: true, getColorDepth: () => 1 }, {}, false],
])('%s', async (_, stream, env, isColoured) => {
  const paint = await loadPaint(stream, env);
  expect(paint.bad('text') !== 'text').toBe(isColoured);
});
