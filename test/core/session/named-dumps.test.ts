import { expect, test } from 'vitest';
import { mayBeAbout } from '../../../src/core/session/named-dumps.js';

const isWanted = (dump: string) => dump === 'mine' || dump === 'mine/graph_flushes/flush_0001';

test.each([
  ['{"dump_dir":"fir_dumps/mine","x":1}', true],
  ['{"dump_dir": "/abs/mine"}', true],
  ['{"dump_dir":"mine/graph_flushes/flush_0001"}', true],
  ['{"dump_dir":"fir_dumps/other"}', false],
  ['{"dump_dir" :\t"other"}', false],
  // An argument of that name comes first.
  ['{"input_metadata":{"dump_dir":"other"},"dump_dir":"mine"}', true],
  ['{"input_metadata":{"dump_dir":{"type":"x"}},"dump_dir":"other"}', true],
  // What can't be told is to be read.
  ['{"dump_dir":"\\u006dine"}', true],
  ['{"dump\\u005fdir":"mine"}', true],
  ['not JSON', true],
])('a look at %s', (text, expected) => {
  expect(mayBeAbout(Buffer.from(text), isWanted)).toBe(expected);
});
