import { describe, expect, it } from 'vitest';
import { FirError } from '../../../src/core/errors.js';
import { includesCall, parseCallRanges } from '../../../src/core/select/index.js';

describe('parseCallRanges', () => {
  it.each([
    ['3', [{ first: 3, last: 3 }]],
    [
      '3,10-20',
      [
        { first: 3, last: 3 },
        { first: 10, last: 20 },
      ],
    ],
    [
      ' 10-20 , 3 ',
      [
        { first: 3, last: 3 },
        { first: 10, last: 20 },
      ],
    ],
    ['1-5,4-9,10', [{ first: 1, last: 10 }]],
    ['1-900000000000000', [{ first: 1, last: 900000000000000 }]],
  ])('reads %j', (text, ranges) => {
    expect(parseCallRanges(text)).toEqual(ranges);
  });

  it.each(['', '0', '-3', '3-', '5-2', 'a', '3,,4', '1.5', '1e3', '0x10', '99999999999999999999'])(
    'refuses %j',
    (text) => {
      expect(() => parseCallRanges(text)).toThrow(expect.objectContaining({ code: 'USAGE' }));
      expect(() => parseCallRanges(text)).toThrow(FirError);
    },
  );
});

describe('includesCall', () => {
  it('includes both ends of every range and nothing else', () => {
    const ranges = parseCallRanges('3,10-12,20-21');
    const included = Array.from({ length: 25 }, (_, call) => call).filter((call) =>
      includesCall(ranges, call),
    );
    expect(included).toEqual([3, 10, 11, 12, 20, 21]);
  });
});
