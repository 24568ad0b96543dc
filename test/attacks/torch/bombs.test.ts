import { describe, expect, it } from 'vitest';
import {
  bool,
  call,
  claiming,
  dict,
  emptyTuple,
  global,
  list,
  none,
  pickle,
  recall,
  remember,
  tensor,
  text,
  tuple,
} from '../../core/torch/raw-pickle.js';
import { reasonOf, tensorOf } from '../../core/torch/read-tensor.js';
import { faultOf, openPickle } from './open-pickle.js';

const MIB = 2 ** 20;
const EMPTY_LIST = Buffer.from(']');
const EMPTY_DICT = Buffer.from('}');
const APPEND = Buffer.from('a');
const SET_ITEM = Buffer.from('s');

function many(count: number, opcodes: string | Uint8Array): Buffer {
  return Buffer.alloc(
    count * opcodes.length,
    typeof opcodes === 'string' ? Buffer.from(opcodes, 'latin1') : opcodes,
  );
}

/** What is wrong by the reader's own word, and the memory that it took to find out. */
function costOf(attack: Uint8Array): { fault: string; usedBytes: number } {
  const before = process.memoryUsage().rss;
  const fault = faultOf(() => openPickle(attack));
  return { fault, usedBytes: process.memoryUsage().rss - before };
}

describe('many of something', () => {
  const LONG_PUTS = Buffer.alloc(3_000_000 * 5);
  for (let index = 0; index < 3_000_000; index++) {
    LONG_PUTS[index * 5] = 0x72;
    LONG_PUTS.writeUInt32LE(index * 977, index * 5 + 1);
  }

  it.each([
    [
      'remembered values',
      Buffer.concat([none, LONG_PUTS]),
      'the pickle makes more than 2097152 remembered values',
    ],
    ['steps', many(9_000_000, 'N'), 'the pickle makes more than 8388608 steps'],
    ['lists', many(2_000_000, ']'), 'the pickle makes more than 1048576 objects'],
    ['dicts', many(2_000_000, '}'), 'the pickle makes more than 1048576 objects'],
    ['tuples', Buffer.concat([none, many(2_000_000, '\x85')]), 'the pickle makes more than 1048576 objects'],
    [
      'calls',
      Buffer.concat([global('a', 'b'), many(2_000_000, ')R')]),
      'the pickle makes more than 1048576 objects',
    ],
    ['bytes', many(2_000_000, 'C\0'), 'the pickle makes more than 1048576 objects'],
    ['globals', many(2_000_000, 'ca\nb\n'), 'the pickle makes more than 1048576 objects'],
    ['copies', Buffer.concat([none, many(9_000_000, '2')]), 'the pickle makes more than 8388608 steps'],
    ['marks', many(1_000_000, '('), 'the pickle is nested deeper than 256 levels'],
    ['bytes of a pickle', Buffer.alloc(2 ** 25 + 1), 'record "archive/data.pkl" of 33554433 bytes'],
  ])('%s end in an error, with bounded memory', (_, attack, expected) => {
    const { fault, usedBytes } = costOf(
      attack.length > 2 ** 25
        ? attack
        : Buffer.concat([Buffer.from('\x80\x02', 'latin1'), attack, Buffer.from('.')]),
    );
    expect(fault).toContain(expected);
    expect(usedBytes).toBeLessThan(512 * MIB);
  });

  it('100,000 distinct globals are not kept by name', () => {
    const names = Array.from({ length: 100_000 }, (_, index) => `cm\nf${index}\n`).join('');
    const file = openPickle(pickle(Buffer.concat([Buffer.from(`](${names}e`), Buffer.from('')])));
    expect(file.foreignGlobals).toHaveLength(1000);
  });

  it('300,000 values beside a tensor are too many to name', () => {
    const attack = Buffer.concat([
      EMPTY_LIST,
      Buffer.from('('),
      tensor(),
      many(300_000, 'N'),
      Buffer.from('e'),
    ]);
    expect(faultOf(() => openPickle(pickle(attack)))).toBe('the file has more than 262144 values');
  });

  it('a million numbers without a tensor are one value', () => {
    const numbers = Buffer.concat([EMPTY_LIST, Buffer.from('('), many(1_000_000, 'K\x01'), Buffer.from('e')]);
    const file = openPickle(pickle(dict(['labels', numbers], ['a', tensor()])));
    expect(reasonOf(file, 'labels')).toBe('a list of 1000000 items, none of them a tensor');
    expect(file.entries.size).toBe(2);
  });
});

describe('large arguments, many times', () => {
  it.each([
    ['torch', 'Size'],
    ['collections', 'OrderedDict'],
    ['torch._utils', '_rebuild_tensor_v2'],
  ])('of %s.%s are not copied', (module, name) => {
    const pairs = remember(
      1,
      Buffer.concat([EMPTY_LIST, Buffer.from('('), many(200_000, '))\x86'), Buffer.from('e')]),
    );
    const calls = remember(2, Buffer.concat([pairs, Buffer.from('0'), global(module, name)]));
    const again = Buffer.concat([recall(2), tuple(recall(1)), Buffer.from('R0')]);
    const attack = Buffer.concat([calls, Buffer.from('0'), many(100_000, again), none]);
    expect(openPickle(pickle(attack)).entries.size).toBe(1);
  });
});

describe('sharing that doubles', () => {
  function doubling(levels: number, seed: Buffer, join: (index: number) => Buffer): Buffer {
    const parts = [remember(0, seed)];
    for (let level = 1; level <= levels; level++) parts.push(remember(level, join(level - 1)));
    return Buffer.concat([...parts.flatMap((part) => [part, Buffer.from('0')]), recall(levels)]);
  }

  it.each([
    ['lists', (index: number) => list(recall(index), recall(index))],
    ['tuples', (index: number) => tuple(recall(index), recall(index))],
    ['dicts', (index: number) => dict(['a', recall(index)], ['b', recall(index)])],
  ])('of %s, 200 levels with a tensor at the end, is walked once', (_, join) => {
    const file = openPickle(pickle(doubling(200, list(tensor()), join)));
    expect(file.entries.size).toBe(201);
    expect([...file.entries.values()].filter(({ kind }) => kind === 'tensor')).toHaveLength(1);
  });

  it('without a tensor is one value', () => {
    const file = openPickle(pickle(doubling(200, list(none), (index) => list(recall(index), recall(index)))));
    expect([...file.entries.keys()]).toEqual(['']);
  });

  it('of tuples as a key gives a short name', () => {
    const key = doubling(200, emptyTuple, (index) => tuple(recall(index), recall(index)));
    const file = openPickle(pickle(dict([key, tensor()])));
    expect([...file.entries.keys()].join().length).toBeLessThan(1000);
  });

  it('one tensor many times is one tensor, many times', () => {
    const shared = Array.from({ length: 1000 }, () => recall(1));
    const file = openPickle(
      pickle(Buffer.concat([remember(1, tensor()), Buffer.from('0'), list(...shared)])),
    );
    expect(tensorOf(file, '999')).toBe(tensorOf(file, '0'));
  });
});

describe('nesting', () => {
  it.each([
    ['lists', Buffer.concat([many(100_000, EMPTY_LIST), many(99_999, APPEND)])],
    ['tuples', Buffer.concat([none, many(100_000, '\x85')])],
    [
      'dicts',
      Buffer.concat([many(100_000, Buffer.concat([EMPTY_DICT, none])), none, many(100_000, SET_ITEM)]),
    ],
    [
      'parameters of parameters',
      many(100_000, Buffer.concat([global('torch._utils', '_rebuild_parameter')])),
    ],
  ])('of 100,000 %s ends in an error or a value, never in a full stack', (_, attack) => {
    const given = attack.includes('_rebuild_parameter')
      ? Buffer.concat([attack, tensor(), many(100_000, '\x85R')])
      : attack;
    try {
      expect(openPickle(pickle(given)).entries.size).toBeLessThan(2);
    } catch (error) {
      expect(error).toMatchObject({
        code: 'TORCH_INVALID',
        message: 'the values are nested deeper than 256 levels',
      });
    }
  });

  it('of a tuple as a key has a short name', () => {
    const key = Buffer.concat([none, many(100_000, '\x85')]);
    const file = openPickle(pickle(dict([key, tensor()])));
    expect([...file.entries.keys()].join().length).toBeLessThan(100);
  });

  it('a list that holds itself is walked once', () => {
    const cycle = Buffer.concat([remember(1, EMPTY_LIST), recall(1), APPEND, tensor(), APPEND]);
    const file = openPickle(pickle(cycle));
    expect(reasonOf(file, '0')).toMatch(/^the same list as ""$/);
    expect(tensorOf(file, '1').shape).toEqual([4]);
  });

  it('a dict that holds itself as a value and as a key is walked once', () => {
    const cycle = Buffer.concat([
      remember(1, EMPTY_DICT),
      text('self'),
      recall(1),
      SET_ITEM,
      recall(1),
      tensor(),
      SET_ITEM,
    ]);
    const file = openPickle(pickle(cycle));
    expect(reasonOf(file, 'self')).toBe('the same dict as ""');
    expect(tensorOf(file, '<object>').shape).toEqual([4]);
  });

  it('a list that holds only itself is one value', () => {
    const cycle = Buffer.concat([remember(1, EMPTY_LIST), recall(1), APPEND]);
    expect([...openPickle(pickle(cycle)).entries.keys()]).toEqual(['']);
  });

  it('rebuilding by rebuilding by rebuilding is no tensor', () => {
    const from = global('torch._tensor', '_rebuild_from_type_v2');
    const file = openPickle(
      pickle(dict(['a', call(from, from, global('torch', 'Tensor'), tuple(from, none, none, none), none)])),
    );
    expect(reasonOf(file, 'a')).toBe('a tensor that is made in a way that is not known');
  });
});

describe('claims', () => {
  it.each([
    ['a text of 4 GiB', claiming(0x58, 0xffff_ffff, 'x'), 'the pickle ends early: 4294967295 bytes wanted'],
    ['a text of 2^60 bytes', claiming(0x8d, 2n ** 60n, 'x'), 'the pickle ends early'],
    ['bytes of 4 GiB', claiming(0x42, 0xffff_ffff, 'x'), 'the pickle ends early'],
    ['bytes of 2^64 - 1', claiming(0x8e, 2n ** 64n - 1n, 'x'), 'the pickle ends early'],
    ['an array of bytes of 2^62', claiming(0x96, 2n ** 62n, 'x'), 'the pickle ends early'],
    ['a text of -1 bytes', claiming(0x54, 0xffff_ffff, 'x'), 'the pickle ends early: -1 bytes wanted'],
    [
      'an integer of 2 GiB',
      claiming(0x8b, 0x7fff_ffff, 'x'),
      'an integer of 2147483647 bytes, more than the 1024',
    ],
    ['an integer of -1 bytes', claiming(0x8b, 0xffff_ffff, 'x'), 'the pickle ends early'],
    ['an integer of 100,000 bytes', claiming(0x8b, 100_000, 'x'.repeat(100_000)), 'more than the 1024'],
  ])('%s', (_, attack, expected) => {
    const { fault, usedBytes } = costOf(pickle(attack));
    expect(fault).toContain(expected);
    expect(usedBytes).toBeLessThan(32 * MIB);
  });

  it('a name of a million characters', () => {
    const long = 'x'.repeat(1_000_000);
    expect(faultOf(() => openPickle(pickle(global(long, 'y'))))).toContain(
      'no line of at most 1024 characters',
    );
    const onStack = Buffer.concat([text(long), text('y'), Buffer.from([0x93])]);
    expect(faultOf(() => openPickle(pickle(onStack)))).toContain(
      'names a global by more than 1024 characters',
    );
    expect(faultOf(() => openPickle(pickle(dict([long, tensor()]))))).toBe(
      'the keys that lead to a value are longer than 4096 characters',
    );
  });

  it('messages and reasons stay short and plain, whatever is named', () => {
    const nasty = `\x1b[2J${'y'.repeat(900)}`;
    const file = openPickle(
      pickle(
        dict(
          ['class', call(global('m', nasty))],
          [
            'dtype',
            call(
              global('torch._utils', '_rebuild_tensor_v3'),
              none,
              none,
              none,
              none,
              none,
              none,
              global('torch', nasty),
            ),
          ],
          ['storage', tensor({ key: nasty })],
          ['elements', tensor({ storageClass: nasty.slice(4) })],
          [
            'subclass',
            call(
              global('torch._tensor', '_rebuild_from_type_v2'),
              global('torch._utils', '_rebuild_parameter'),
              global('m', nasty),
              tuple(tensor(), bool(true), none),
            ),
          ],
        ),
      ),
    );
    for (const key of file.entries.keys()) {
      expect(reasonOf(file, key).length).toBeLessThan(300);
      expect(reasonOf(file, key)).not.toContain('\x1b');
    }
    expect(file.foreignGlobals.join()).not.toContain('\x1b');
  });

  it.each([
    [[10 ** 9], [1], 'reaches byte 4000000000 of a storage of 16 bytes'],
    [[10 ** 9, 10 ** 9], [10 ** 9, 1], 'has more than 2^53 elements'],
    [[2 ** 53 - 1], [2 ** 53 - 1], 'reaches past 2^53 elements'],
    [[-1], [1], 'has a dimension that is not a count'],
    [[4], [-1], 'is not a count'],
    [[4, 4], [1], '2 dimensions, but 1 strides'],
    [Array.from({ length: 65 }, () => 1), Array.from({ length: 65 }, () => 1), 'is not made of counts'],
  ])('a shape %j with stride %j in 16 bytes', (shape, stride, expected) => {
    const file = openPickle(pickle(dict(['a', tensor({ shape, stride })], ['b', tensor()])));
    expect(reasonOf(file, 'a')).toContain(expected);
    expect(tensorOf(file, 'b').shape).toEqual([4]);
  });

  it('a billion elements that are one, expanded, are read as that one', () => {
    const file = openPickle(pickle(dict(['a', tensor({ shape: [10 ** 9], stride: [0] })])));
    expect(tensorOf(file, 'a').storage.byteLength).toBe(16);
  });

  it('a storage of more elements than its record', () => {
    for (const elements of [10 ** 12, 2n ** 62n, -4, 3]) {
      const file = openPickle(pickle(dict(['a', tensor({ elements })])));
      expect(reasonOf(file, 'a')).toContain('but its record "data/0" has 16 bytes');
    }
  });
});
