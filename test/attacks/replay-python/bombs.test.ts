// Files and records that claim, or make, far more than they are. Each is looked at and replayed by the real command line.
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { JsonValue } from '../../../src/core/model/json.js';
import type { CallResult } from '../../../src/core/model/verdict.js';
import {
  claiming,
  dict,
  global,
  list,
  none,
  pickle,
  recall,
  remember,
  tensor,
} from '../../core/torch/raw-pickle.js';
import { type RawRecord, torchRecords } from '../../core/torch/raw-zip.js';
import { sharedDirectory } from '../../e2e/captured.js';
import { pythonWithTorch } from '../../support/python.js';
import {
  DEMO,
  expectPlain,
  placeRecords,
  placeTorchFile,
  pythonFlags,
  writeHostileSession,
} from './hostile-session.js';
import { type Measured, measureFir } from './measured.js';

const MIB = 2 ** 20;
const GIB = 2 ** 30;
const SETUP_MS = 900_000;

function many(count: number, opcodes: string): Buffer {
  return Buffer.alloc(count * opcodes.length, Buffer.from(opcodes, 'latin1'));
}

function longPuts(count: number): Buffer {
  const bytes = Buffer.alloc(count * 5);
  for (let index = 0; index < count; index++) {
    bytes[index * 5] = 0x72;
    bytes.writeUInt32LE(index * 977, index * 5 + 1);
  }
  return bytes;
}

/** 2^200 values for who walks them. */
function doubling(): Buffer {
  const parts = [remember(0, list(none))];
  for (let level = 1; level <= 200; level++)
    parts.push(remember(level, list(recall(level - 1), recall(level - 1))));
  return Buffer.concat([...parts.flatMap((part) => [part, Buffer.from('0')]), recall(200)]);
}

const asArgument = (value: Buffer): RawRecord[] =>
  torchRecords(pickle(dict(['arg_0', value])), { 0: FLOATS });
const FLOATS = new Uint8Array(16);

interface Bomb {
  what: string;
  records: RawRecord[];
  /** Of the call that has it as its argument. */
  says: RegExp;
}

const BOMBS: readonly Bomb[] = [
  {
    what: 'three million remembered values',
    records: asArgument(Buffer.concat([none, longPuts(3_000_000)])),
    says: /more than 2097152 remembered values/,
  },
  {
    what: 'nine million steps',
    records: asArgument(many(9_000_000, 'N')),
    says: /more than 8388608 steps/,
  },
  {
    what: 'two million dicts',
    records: asArgument(many(2_000_000, '}')),
    says: /more than 1048576 objects/,
  },
  {
    what: 'a list in a list, 100,000 deep',
    records: asArgument(Buffer.concat([many(100_000, ']'), many(99_999, 'a')])),
    says: /nested deeper than 256 levels/,
  },
  {
    what: 'calls of what calls give, 100,000 deep',
    records: asArgument(Buffer.concat([global('os', 'system'), many(100_000, ')R')])),
    says: /an object that only Python knows/,
  },
  { what: 'lists of one list, 200 times doubled', records: asArgument(doubling()), says: /arg_0/ },
  {
    what: 'a text of 4 GiB',
    records: asArgument(claiming(0x58, 0xffff_ffff, 'x')),
    says: /the pickle ends early: 4294967295 bytes wanted/,
  },
  {
    what: 'bytes of 2^60',
    records: asArgument(claiming(0x8e, 2n ** 60n, 'x')),
    says: /the pickle ends early/,
  },
  {
    what: 'an integer of 2 GiB',
    records: asArgument(claiming(0x8b, 0x7fff_ffff, 'x')),
    says: /an integer of 2147483647 bytes, more than the 1024/,
  },
  {
    what: 'a tensor of a billion elements in 16 bytes',
    records: asArgument(tensor({ shape: [10 ** 9] })),
    says: /reaches byte 4000000000 of a storage of 16 bytes/,
  },
  {
    what: 'a tensor of 10^18 elements',
    records: asArgument(tensor({ shape: [10 ** 9, 10 ** 9], stride: [10 ** 9, 1] })),
    says: /more than 2\^53 elements/,
  },
  {
    what: 'a storage of 10^12 elements in 16 bytes',
    records: asArgument(tensor({ elements: 10 ** 12 })),
    says: /but its record "data\/0" has 16 bytes/,
  },
  {
    what: 'a storage that claims 2^40 bytes when inflated',
    records: [
      ...torchRecords(pickle(dict(['arg_0', tensor({ elements: 2 ** 38 })]))),
      { name: 'archive/data/0', content: new Uint8Array(4096), deflate: true, byteLength: 2 ** 40 },
    ],
    says: /data\/0/,
  },
  {
    what: 'a pickle that claims 2^40 bytes when inflated',
    records: [
      { name: 'archive/data.pkl', content: new Uint8Array(4096), deflate: true, byteLength: 2 ** 40 },
      { name: 'archive/version', content: Buffer.from('3\n') },
    ],
    says: /data\.pkl/,
  },
  {
    what: 'a pickle that inflates to 512 MiB and claims 1000 bytes',
    records: [
      { name: 'archive/data.pkl', content: new Uint8Array(2 ** 29), deflate: true, byteLength: 1000 },
      { name: 'archive/version', content: Buffer.from('3\n') },
    ],
    says: /data\.pkl/,
  },
  {
    what: 'a storage that inflates to 512 MiB and claims 16 bytes',
    records: [
      ...torchRecords(pickle(dict(['arg_0', tensor()]))),
      { name: 'archive/data/0', content: new Uint8Array(2 ** 29), deflate: true, byteLength: 16 },
    ],
    says: /data\/0/,
  },
];
interface Claim {
  what: string;
  functionName: string;
  argument: JsonValue;
}

const CLAIMS: readonly Claim[] = [
  { what: 'a list in a list, 900 deep', functionName: 'sum_tree', argument: nested(900) },
  {
    what: 'a list of a billion items that are not there',
    functionName: 'sum_tree',
    argument: { type: 'list', length: 10 ** 9, items: [] },
  },
  {
    what: 'a list that would be computed',
    functionName: 'sum_tree',
    argument: { type: 'list', repr: '[0] * 10**12' },
  },
  {
    what: 'bytes that would be computed',
    functionName: 'sum_tree',
    argument: { type: 'bytes', repr: "b'x' * 10**12" },
  },
  {
    what: 'a number that would be computed',
    functionName: 'sum_tree',
    argument: { type: 'int64', repr: '9**9**9**9' },
  },
  {
    what: 'a text that would be called',
    functionName: 'sum_tree',
    argument: { type: 'set', repr: "set([__import__('os').system('true')])" },
  },
  {
    what: 'brackets without end',
    functionName: 'sum_tree',
    argument: { type: 'list', repr: '['.repeat(990) },
  },
  {
    what: 'a tensor of 10^18 elements that no file has',
    functionName: 'make_nan',
    argument: {
      type: 'torch.Tensor',
      shape: [10 ** 9, 10 ** 9],
      stride: [10 ** 9, 1],
      dtype: 'torch.float32',
      device: 'cpu',
      tensor_key: 'arg_0',
    },
  },
];

function nested(depth: number): JsonValue {
  let value: JsonValue = { type: 'list', length: 0, items: [] };
  for (let level = 0; level < depth; level++) value = { type: 'list', length: 1, items: [value] };
  return value;
}

const root = sharedDirectory();
const session = join(root, 'session');
const paths = new Map<string, string>();
let listed: Measured;
let replayed: Measured;

beforeAll(async () => {
  const python = await pythonWithTorch();
  const good = { module: DEMO, functionName: 'make_nan', inputKeys: ['arg_0'], outputKeys: ['result'] };
  const dumps = writeHostileSession(session, [
    ...BOMBS.map(() => ({ ...good, outputKeys: [] })),
    ...CLAIMS.map(({ functionName, argument }) => ({
      module: DEMO,
      functionName,
      inputs: { arg_0: argument },
    })),
    good,
  ]);
  for (const [index, { what, records }] of BOMBS.entries()) {
    paths.set(what, join(dumps[index]?.path ?? '', 'inputs.pt'));
    placeRecords(paths.get(what) ?? '', records);
  }
  const last = dumps.at(-1)?.path ?? '';
  placeTorchFile(join(last, 'inputs.pt'), pickle(dict(['arg_0', tensor()])));
  placeTorchFile(join(last, 'outputs.pt'), pickle(dict(['result', tensor()])));
  listed = await measureFir(['inspect', session, '--json']);
  replayed = await measureFir(['replay', session, '--json', ...pythonFlags(python), '--allow', DEMO]);
}, SETUP_MS);

function resultAt(index: number): CallResult {
  const { calls } = JSON.parse(replayed.stdout) as { calls: CallResult[] };
  const found = calls.find(({ call }) => call === index + 1);
  if (found === undefined) throw new Error(`call ${index + 1} was not told`);
  return found;
}

describe('a file that is', () => {
  it.each(BOMBS.map(({ what, says }, index) => [what, index, says] as const))(
    '%s: looked at and replayed, it ends in one line, with bounded memory',
    async (what, index, says) => {
      const looked = await measureFir(['inspect', paths.get(what) ?? '']);
      expectPlain(looked);
      expect([0, 2]).toContain(looked.code);
      expect(looked.peakBytes).toBeLessThan(512 * MIB);
      const { verdict, reason = '' } = resultAt(index);
      expect(['error', 'skipped']).toContain(verdict);
      expect(reason).toMatch(says);
      expect(reason.length).toBeLessThan(500);
      expect(reason).not.toContain('\n');
    },
  );
});

describe('a record that has', () => {
  it.each(CLAIMS.map(({ what }, index) => [what, index] as const))('%s: is not run', (_, index) => {
    const { verdict, reason = '' } = resultAt(BOMBS.length + index);
    expect(['error', 'skipped']).toContain(verdict);
    expect(reason).toMatch(/arg_0|nested/);
    expect(reason.length).toBeLessThan(500);
  });
});

it('views of 16 bytes as 10^12 elements, returned as they were recorded, are not compared one by one', async () => {
  const dir = join(root, 'views');
  const keys = ['result_0', 'result_1', 'result_2'];
  const [dump] = writeHostileSession(dir, [
    { module: DEMO, functionName: 'row_views', inputKeys: ['arg_0'], outputKeys: keys },
  ]);
  const side = 2 ** 20;
  const repeated = (...shape: number[]) => tensor({ shape, stride: shape.map(() => 0) });
  const outputs = dict(
    ['result_0', repeated(side, side)],
    ['result_1', repeated(side, side / 2)],
    ['result_2', repeated(side)],
  );
  placeTorchFile(join(dump?.path ?? '', 'inputs.pt'), pickle(dict(['arg_0', repeated(side, side)])));
  placeTorchFile(join(dump?.path ?? '', 'outputs.pt'), pickle(outputs));
  const flags = pythonFlags(await pythonWithTorch());
  const result = await measureFir(['replay', dir, '--json', ...flags, '--allow', DEMO]);
  expect(JSON.parse(result.stdout).calls).toMatchObject([
    { verdict: 'error', reason: 'result_0 has 1099511627776 elements over 4 bytes: too many to compare' },
  ]);
  expect(result.code).toBe(1);
  expect(result.peakBytes).toBeLessThan(GIB);
});

describe('a session full of them', () => {
  it('is looked at and replayed with bounded memory', () => {
    expectPlain(listed);
    expectPlain(replayed);
    expect(listed.peakBytes).toBeLessThan(GIB);
    expect(replayed.peakBytes).toBeLessThan(GIB);
    expect([listed.code, replayed.code]).toEqual([0, 1]);
  });

  it('does not keep the good call in it from being replayed', () => {
    expect(resultAt(BOMBS.length + CLAIMS.length).verdict).toBe('pass');
  });
});
