// What a hostile FlashInfer session tries: paths through snapshots, pickles that name programs, claims of any size.
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inspectSession } from '../../../src/core/inspect/index.js';
import type { JsonValue } from '../../../src/core/model/json.js';
import { openSession } from '../../../src/core/session/index.js';
import { copyFixture } from '../../support/flashinfer-fixtures.js';
import { pythonWithTorch } from '../../support/python.js';
import { writeSession } from '../../support/session-writer.js';
import { makeTempDir } from '../../support/temp-dir.js';

const SCALED = '20261124_231722_975_pid19580_scaled_mm_call0001';
const SNAPSHOT = join(SCALED, 'graph_flushes', 'flush_0001');

function inspected(path: string): string {
  const { calls } = inspectSession(openSession(path), { stats: true, hash: true });
  return JSON.stringify([...calls], (_, value) => (typeof value === 'bigint' ? String(value) : value));
}

/** An index with one line that says where a snapshot's dump is. */
function sessionNaming(dumpDir: string): string {
  const dir = makeTempDir();
  const record = {
    function_name: 'f',
    graph_capture: true,
    execution_status: 'completed',
    dump_dir: dumpDir,
  };
  writeFileSync(join(dir, 'session.jsonl'), `${JSON.stringify(record)}\n`);
  return dir;
}

describe('the path of a snapshot', () => {
  it.each([
    '../graph_flushes/flush_0001',
    './graph_flushes/flush_0001',
    '/graph_flushes/flush_0001',
    '..\\graph_flushes\\flush_1',
    'a\0/graph_flushes/flush_0001',
  ])('%j is unsafe', (dumpDir) => {
    const session = openSession(sessionNaming(dumpDir));
    const [call, ...more] = session.calls;
    if (call === undefined) throw new Error('no call');
    expect([more.length, call.problem]).toEqual([0, 'its dump directory has an unsafe name']);
    expect(() => session.openDump(call)).toThrow(expect.objectContaining({ code: 'UNSAFE_PATH' }));
  });

  it.each(['x/graph_flushes/flush_0001', '/etc/x/graph_flushes/flush_1/', 'a\\x\\graph_flushes\\flush_7'])(
    '%j is looked for in the session alone',
    (dumpDir) => {
      const [call] = openSession(sessionNaming(dumpDir)).calls;
      expect(call?.dump).toMatch(/^x\/graph_flushes\/flush_\d+$/);
      expect(call?.problem).toBe('its dump directory is missing');
    },
  );

  it.each(['x/graph_flushes/flush_1234567890', 'x/graph_flushes/flush_'])(
    '%j is none of a snapshot',
    (dumpDir) => {
      const [call] = openSession(sessionNaming(dumpDir)).calls;
      expect(call?.dump).not.toMatch(/^x\//);
    },
  );

  it('of megabytes of separators is read at once', () => {
    const dir = sessionNaming(`${'/'.repeat(2_000_000)}x`);
    expect(openSession(dir).calls.map((call) => call.dump)).toEqual(['x']);
    const other = sessionNaming(`${'\\/'.repeat(1_000_000)}x/graph_flushes/flush_0001`);
    expect(openSession(other).calls).toHaveLength(1);
  });
});

describe('symbolic links among snapshots', () => {
  function outsideOf(path: string): string {
    const outside = join(path, '..', 'outside');
    renameSync(join(path, SNAPSHOT), outside);
    return outside;
  }

  it.each([true, false])('in place of one are not followed, with an index (%s) and without', (hasIndex) => {
    const path = copyFixture('graph_flush');
    if (!hasIndex) rmSync(join(path, 'session.jsonl'));
    symlinkSync(outsideOf(path), join(path, SNAPSHOT));
    const call = openSession(path).calls.find(({ dump }) =>
      dump.endsWith(`${SCALED}/graph_flushes/flush_0001`),
    );
    expect(call?.problem).toBe('its dump directory is a symbolic link');
  });

  it('that come later are not followed', () => {
    const path = copyFixture('graph_flush');
    const session = openSession(path);
    const flushes = join(path, SCALED, 'graph_flushes');
    const outside = join(path, '..', 'flushes');
    renameSync(flushes, outside);
    symlinkSync(outside, flushes);
    const call = session.calls.find(({ dump }) => dump.startsWith(`${SCALED}/`));
    if (call === undefined) throw new Error('no call');
    expect(() => session.openDump(call)).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
  });

  it('of a tensor file that lead out are refused, and repeat nothing', () => {
    const path = copyFixture('graph_flush');
    const secret = join(path, '..', 'secret.pt');
    const last = join(path, SCALED, 'graph_flushes', 'flush_0003', 'inputs.pt');
    cpSync(last, secret);
    rmSync(last);
    symlinkSync(secret, last);
    expect(openSession(path).repeatedSnapshots).toBe(2);
    expect(inspected(path)).toContain('a symbolic link that leads out of the session');
  });

  it('of an old record that lead out are not followed', () => {
    const dir = makeTempDir();
    const root = join(dir, 'session');
    const [written] = writeSession(root, [{ functionName: 'f' }], { foreign: true, withoutIndex: true });
    const path = written?.path ?? '';
    renameSync(join(path, 'metadata.jsonl'), join(dir, 'secret.json'));
    symlinkSync(join(dir, 'secret.json'), join(path, 'metadata.json'));
    const session = openSession(root);
    expect(session.calls.map((call) => call.status)).toEqual(['no_record']);
    expect(session.unreadable[0]?.reason).toMatch(/leads out of the session/);
  });
});

describe('a pickle that names a program', () => {
  it('is shown by its name and not run; the tensors beside it are read', async () => {
    const dir = makeTempDir();
    const [written] = writeSession(
      dir,
      [
        {
          functionName: 'f',
          record: {
            tensor_format: 'torch',
            tensor_info: { input_tensor_keys: ['arg_0', 'arg_1'], output_tensor_keys: [] },
          },
        },
      ],
      { foreign: true },
    );
    const mark = join(dir, 'pwned');
    const program = `
import os, sys, torch, argparse
class Run:
    def __reduce__(self): return (os.system, ('touch ' + sys.argv[2],))
torch.save({'arg_0': torch.arange(3.), 'arg_1': Run(), 'n': argparse.Namespace(a=1)}, sys.argv[1])`;
    execFileSync(await pythonWithTorch(), ['-c', program, join(written?.path ?? '', 'inputs.pt'), mark]);
    const [call] = inspectSession(openSession(dir), { stats: true }).calls;
    expect(call?.inputs[0]?.stats).toMatchObject({ min: 0, max: 2 });
    expect(call?.inputs[1]?.error).toMatch(/"arg_1" can't be read: .*(posix|os)\.system/);
    expect(call?.replayable).toBe(false);
    expect(call?.reasons[0]).toMatch(/^input arg_1: /);
    expect(call?.notes?.[0]).toMatch(/^inputs\.pt names .*(posix|os)\.system.* \(not run\)$/);
    expect(existsSync(mark)).toBe(false);
  });

  it('whose session asks for a program by its record is shown as any other', () => {
    const dir = makeTempDir();
    writeSession(
      dir,
      [{ functionName: 'system', module: 'os', inputMetadata: { arg_0: `touch ${join(dir, 'pwned')}` } }],
      { foreign: true },
    );
    expect(inspected(dir)).toContain('"module":"os"');
    expect(existsSync(join(dir, 'pwned'))).toBe(false);
  });
});

describe('records that lie about tensors', () => {
  it.each<[string, JsonValue]>([
    ['a stride past any memory', { shape: [3], dtype: 'torch.float32', stride: [2 ** 52], device: 'cuda:0' }],
    ['a shape past any memory', { shape: [2 ** 40], dtype: 'torch.float32', stride: [1], device: 'cpu' }],
    ['other dimensions', { shape: [3], dtype: 'torch.float32', stride: [1, 1], device: 'cpu' }],
    ['names that every object has', { shape: [3], dtype: 'constructor', stride: [1], device: '__proto__' }],
  ])('with %s are told, and nothing is made of that size', (_, node) => {
    const path = copyFixture('disk_full');
    const index = join(path, 'session.jsonl');
    const lines = readFileSync(index, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => {
        const record = JSON.parse(line);
        const key = { ...(node as object), type: 'torch.Tensor', tensor_key: 'arg_0' };
        return `${JSON.stringify({ ...record, tensor_details: { arg_0: node }, input_metadata: { arg_7: key } })}\n`;
      });
    writeFileSync(index, lines.join(''));
    expect(inspected(path)).toContain('row_scale');
  });

  it('with keys that every object has find nothing', () => {
    const path = copyFixture('disk_full');
    const index = join(path, 'session.jsonl');
    const text = readFileSync(index, 'utf8').replaceAll('"arg_0"', '"__proto__"');
    writeFileSync(index, text.replaceAll('"result"', '"constructor"'));
    expect(inspected(path)).toContain('no tensor \\"__proto__\\" in the file');
  });
});

it('thousands of records of one snapshot are one call', () => {
  const path = copyFixture('graph_flush');
  const lines = readFileSync(join(path, 'session.jsonl'), 'utf8').split(/(?<=\n)/);
  const line = lines.find((text) => text.includes('flush_0002')) ?? '';
  appendFileSync(join(path, 'session.jsonl'), line.repeat(5000));
  mkdirSync(join(path, SCALED, 'graph_flushes', 'flush_0004'));
  const session = openSession(path);
  expect(
    session.calls.filter((call) => call.dump.startsWith(`${SCALED}/`)).map((call) => call.status),
  ).toEqual(['completed', 'completed', 'no_record']);
});
