// What `inspect` calls rebuildable and what the worker rebuilds: held together on what Python prints, and on what it never would.
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { whyNotRebuildable } from '../../../src/core/flashinfer/index.js';
import { pythonWithTorch } from '../../support/python.js';
import { makeTempDir } from '../../support/temp-dir.js';

const PACKAGES = fileURLToPath(new URL('../../../python', import.meta.url));

/** Runs a program that has the worker's own `rebuild`, and reads the JSON that it prints. */
async function inPython<Answer>(program: string, ...args: readonly string[]): Promise<Answer> {
  const start = `import json, sys\nsys.path.insert(0, ${JSON.stringify(PACKAGES)})\nfrom fir_replay.literals import rebuild\n`;
  const { stdout } = await promisify(execFile)(
    await pythonWithTorch(),
    ['-W', 'error', '-c', start + program, ...args],
    { maxBuffer: 2 ** 26 },
  );
  return JSON.parse(stdout);
}

const PRINTED = `
import collections, enum, random, torch
chance = random.Random(20260101)
Pair = collections.namedtuple('Pair', ['left', 'right'])
class Mode(enum.Enum):
    FAST = 1
SCALARS = [None, True, False, 0, -1, 2**70, -0.0, 0.1, 1e22, -1e-07, 1e16, 1.5e300, 2j, 1+2j, -1.5-2j, 1e-05j,
    complex(1, -0.0), complex(-0.0, 1), -1j, '', "it's", 'say "it\\'s"', 'a\\\\b', '\\n\\r\\t\\x00\\x7f\\xa0\\u200b', 'é😀\\ud800\\U000e0001',
    'None', 'tensor(', '[1, 2]', b'', b"it's", b'\\x00\\xff"\\'\\\\\\n']
OTHERS = [float('nan'), float('-inf'), complex('inf'), torch.float16, torch.tensor([1.0]), torch.nn.Parameter(torch.ones(1)),
    torch.device('cpu'), object(), Mode.FAST, Mode, Pair(1, 2), frozenset([1]), range(3), ..., bytearray(b'a'), slice(1)]
def make(depth):
    kind = chance.randrange(9 if depth < 4 else 4)
    if kind < 4:
        return chance.choice(OTHERS if chance.random() < 0.02 else SCALARS)
    items = [make(depth + 1) for _ in range(chance.choice([0, 1, 1, 2, 3]))]
    if kind < 6:
        return items
    if kind == 6:
        return tuple(items)
    try:
        return set(items) if kind == 7 else dict(zip(items, reversed(items)))
    except TypeError:
        return items
loop = [1]
loop.append(loop)
values = [v for v in (make(0) for _ in range(6000)) if isinstance(v, (list, tuple, dict, set))]
values += [loop, torch.Size([2, 3]), torch.Size([]), Pair(1, 2), [0] * 400, [12] * 249 + [1], [12] * 249 + ['a']]
def told(value):
    if isinstance(value, (list, tuple)):
        return [type(value).__name__, [told(item) for item in value]]
    if isinstance(value, dict):
        return ['dict', [[told(key), told(item)] for key, item in value.items()]]
    if isinstance(value, set):
        return ['set', sorted(json.dumps(told(item)) for item in value)]
    return [type(value).__name__, repr(value)]
answers = []
for value in values:
    name, text = type(value).__name__, str(value)[:1000]
    rebuilt = rebuild(name, text, {})
    answers.append([name, text, rebuilt is not None, rebuilt is not None and told(rebuilt.value) == told(value)])
print(json.dumps(answers))`;

const GIVEN = `
answers = []
for name, text in json.load(open(sys.argv[1], encoding='utf-8')):
    rebuilt = rebuild(name, text, {})
    answers.append(None if rebuilt is None else type(rebuilt.value).__name__)
print(json.dumps(answers))`;

/** What Python's own reader takes, or nearly takes, and what `str` never prints. */
const UNPRINTED: readonly string[] = [
  '[[...]]',
  '[1_000]',
  '[0x10]',
  '[01]',
  '[1.]',
  '[.5]',
  '[1E5]',
  '[+1]',
  '[--1]',
  '[- 1]',
  '[1 + 2j]',
  '[(1)]',
  '(1)',
  '()',
  '( )',
  '(1,)',
  '(,)',
  '[,]',
  '[1,,2]',
  '[1 2]',
  '[1, ]',
  "['a' 'b']",
  "[u'a']",
  "[r'\\d']",
  "['\\d']",
  "['\\x4']",
  "['\\U00110000']",
  "['\\N{BULLET}']",
  "['\n']",
  "['\0']",
  "['\ud800']",
  '["""a"""]',
  "[b'\u00e9']",
  "[b'\\u0041']",
  '[1] # more',
  '[1]\n',
  ' [1]',
  '{[1]}',
  '{(1, [2]): 3}',
  '{1: 2, 3}',
  '{1, 2: 3}',
  '{1: 2,}',
  '{,}',
  '{*[1]}',
  '[*(1,)]',
  'list()',
  'set()',
  '{set()}',
  '[set()]',
  '[nan, inf]',
  '[Nonesuch]',
  '[True.real]',
  '[__import__("os").getpid()]',
  '[lambda: 0]',
  '[x for x in ()]',
  `${'['.repeat(101)}${']'.repeat(101)}`,
  `${'['.repeat(102)}${']'.repeat(102)}`,
  `${'('.repeat(990)}`,
  `${'{1: '.repeat(240)}`,
  `['${'x'.repeat(994)}']`,
  `['${'x'.repeat(996)}']`,
];

describe('containers of which a recorder kept the text', () => {
  it('are made again by the worker where inspect says that they can be, and exactly', async () => {
    const answers = await inPython<[string, string, boolean, boolean][]>(PRINTED);
    const disagreed = answers.filter(
      ([type, text, isRebuilt]) => (whyNotRebuildable(type, text) === undefined) !== isRebuilt,
    );
    expect(disagreed).toEqual([]);
    const rebuilt = answers.filter(([, , isRebuilt]) => isRebuilt);
    expect(rebuilt.filter(([, , , isExact]) => !isExact)).toEqual([]);
    expect(rebuilt.length).toBeGreaterThan(1000);
    expect(answers.length - rebuilt.length).toBeGreaterThan(100);
  }, 120_000);

  it('are refused by both where Python would never have printed them so', async () => {
    const pieces = fc.array(
      fc.constantFrom(
        ...['[', ']', '(', ')', '{', '}', ', ', ',', ': ', ' ', '1', '-1', '0.5', '1e-07', '(1+2j)', '2j'],
        ...[
          "'a'",
          '"',
          "'",
          '\\',
          'b',
          "b'a'",
          'None',
          'True',
          'set()',
          '[1]',
          '(1,)',
          '{1: 2}',
          '{1}',
          'e',
          '.',
        ],
      ),
      { maxLength: 8 },
    );
    const mixed = fc.sample(pieces, { seed: 20260101, numRuns: 4000 }).map((parts) => parts.join(''));
    const given = [...UNPRINTED, ...mixed, ...mixed.map((text) => `[${text}]`)].flatMap((text) =>
      ['list', 'tuple', 'dict', 'set'].map((type): [string, string] => [type, text]),
    );
    const file = join(makeTempDir(), 'texts.json');
    writeFileSync(file, JSON.stringify(given));
    const rebuilt = await inPython<(string | null)[]>(GIVEN, file);
    const expected = given.map(([type, text]) => (whyNotRebuildable(type, text) === undefined ? type : null));
    expect(given.filter((_, index) => rebuilt[index] !== expected[index])).toEqual([]);
    expect(rebuilt.filter((type) => type !== null).length).toBeGreaterThan(300);
  }, 120_000);

  it.each([
    ['list', '[tensor([1., 2.])]', 'a list of tensors is only described, not recorded'],
    [
      'dict',
      "{'w': Parameter containing:\ntensor([1.], requires_grad=True)}",
      'a dict of tensors is only described, not recorded',
    ],
    [
      'tuple',
      `(tensor([${'1., '.repeat(400)}`.slice(0, 1000),
      'a tuple of tensors is only described, not recorded',
    ],
    ['list', `[${'1, '.repeat(400)}`.slice(0, 1000), 'a list was cut short by the recorder'],
    ['list', '[<flashinfer.X object at 0x7f00>]', 'a list is only described, not recorded'],
    ['Pair', 'Pair(left=1, right=2)', 'a Pair is only described, not recorded'],
    ['defaultdict', "defaultdict(<class 'int'>, {})", 'a defaultdict is only described, not recorded'],
  ])('say why they can not be: %s', (type, text, reason) => {
    expect(whyNotRebuildable(type, text)).toBe(reason);
  });
});
