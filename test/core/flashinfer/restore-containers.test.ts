import { describe, expect, it } from 'vitest';
import { restoreContainers } from '../../../src/core/flashinfer/index.js';

const text = (type: string, value: string) => ({ type, value });
const list = (...items: unknown[]) => ({ type: 'list', length: items.length, items });

describe('a result that was written as a text', () => {
  it.each([
    ['[]', list()],
    ['[1, -2.5, 1e+22, -0.0]', list(1, -2.5, 1e22, -0)],
    ['[9007199254740993, -9007199254740993]', list(9007199254740993n, -9007199254740993n)],
    ['[None, True, False]', list(null, true, false)],
    [String.raw`['\\x41\x41\u20ac\U0001f600\n\'"', "it's", 'é']`, list('\\x41A€😀\n\'"', "it's", 'é')],
    [
      String.raw`[b'\x00\'', (1+2j), -2j]`,
      list(
        { type: 'bytes', repr: String.raw`b'\x00\''` },
        { type: 'complex', repr: '(1+2j)' },
        { type: 'complex', repr: '-2j' },
      ),
    ],
    ['[{1, (2,)}, set()]', list({ type: 'set', repr: '{1, (2,)}' }, { type: 'set', repr: 'set()' })],
    [
      "[(1,), {'a': [2], 3: {}}]",
      list(
        { type: 'tuple', length: 1, items: [1] },
        {
          type: 'dict',
          length: 2,
          items: [
            { key: 'a', value: list(2) },
            { key: 3, value: { type: 'dict', length: 0, items: [] } },
          ],
        },
      ),
    ],
  ])('has its items again: %s', (value, expected) => {
    expect(restoreContainers(text('list', value))).toEqual(expected);
  });

  it('has them as an item of a tuple, too', () => {
    const result = { type: 'tuple', length: 2, items: [7, text('list', '[1]')] };
    expect(restoreContainers(result)).toEqual({ ...result, items: [7, list(1)] });
  });

  it.each([
    ['list', '[tensor([1., 2.])]'],
    ['list', `[${'1, '.repeat(400)}`.slice(0, 1000)],
    ['tuple', '[1]'],
    ['Pair', 'Pair(left=1, right=2)'],
  ])('is marked as cut where the text does not hold it: %s', (type, value) => {
    expect(restoreContainers(text(type, value))).toEqual({ type, truncated: true });
  });

  it.each([
    [null],
    ['[1, 2]'],
    [{ type: 'torch.dtype', value: 'torch.float16' }],
    [{ type: 'enum', name: 'Mode.FAST', value: '[1]' }],
    [{ type: 'js.number', value: 'NaN' }],
    [{ type: 'set', repr: '{1}' }],
    [{ type: 'torch.Tensor', tensor_key: 'result' }],
    [list(1, 'a')],
  ])('is as it was where it is none: %j', (value) => {
    expect(restoreContainers(value as Parameters<typeof restoreContainers>[0])).toEqual(value);
  });
});
