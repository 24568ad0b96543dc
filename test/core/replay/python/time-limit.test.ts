import { expect, test } from 'vitest';
import { timeLimitOf } from '../../../../src/core/replay/python/time-limit.js';

test('the first call of a function may compile for ten minutes, later ones take a minute', () => {
  expect([timeLimitOf(undefined, true), timeLimitOf(undefined, false)]).toEqual([600_000, 60_000]);
});

test('what the user asked for holds for every call, be it more or less', () => {
  for (const asked of [2000, 3_600_000]) {
    expect([timeLimitOf(asked, true), timeLimitOf(asked, false)]).toEqual([asked, asked]);
  }
});
