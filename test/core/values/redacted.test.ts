import { expect, it } from 'vitest';
import type { JsonObject } from '../../../src/core/model/json.js';
import { decodeValue } from '../../../src/core/values/index.js';

const NO_TENSORS = { tensor: () => undefined };

function mark(fields: JsonObject): JsonObject {
  return { type: 'fir.redacted', of: 'string', ...fields };
}

it('a text that was left out is another one as long as it', () => {
  expect(decodeValue(mark({ length: 5, hash: '0123456789abcdef' }), NO_TENSORS)).toBe('01234');
  expect(decodeValue(mark({ length: 3, hash: 'ab' }), NO_TENSORS)).toBe('aba');
  expect(decodeValue(mark({ length: 0 }), NO_TENSORS)).toBe('');
  // No hash of a text, and so not to be repeated.
  expect(decodeValue(mark({ length: 3, hash: 'rm -rf' }), NO_TENSORS)).toBe('xxx');
});

it.each([{}, { length: -1 }, { length: 1.5 }, { length: '5' }, { of: 'Config', length: 5 }, { of: 'value' }])(
  'nothing stands in for %j',
  (fields) => {
    expect(() => decodeValue(mark(fields as JsonObject), NO_TENSORS)).toThrow(
      expect.objectContaining({ code: 'NOT_REPLAYABLE', message: expect.stringContaining('redacted') }),
    );
  },
);

it('no memory is taken by what a file claims', () => {
  const long = mark({ length: 16 * 1024 * 1024, hash: 'ab' });
  const list = { type: 'list', length: 5, items: [long, long, long, long, long] };
  expect(() => decodeValue(list, NO_TENSORS)).toThrow(/too large/);
  expect(() => decodeValue(mark({ length: 2 ** 50 }), NO_TENSORS)).toThrow(/too large/);
});
