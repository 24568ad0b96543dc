import { appendFileSync, cpSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openSession } from '../../../src/core/session/index.js';
import { type WrittenCall, type WrittenDump, writeSession } from '../../support/session-writer.js';
import { makeTempDir } from '../../support/temp-dir.js';

const CALLS: WrittenCall[] = ['one', 'two', 'three', 'four'].map((functionName) => ({ functionName }));

/** The calls of a session with their records in segments: each segment is a list of `two:start` or `two:end`. */
function segmented(
  segments: Record<string, string[]>,
  calls = CALLS,
): { root: string; dumps: WrittenDump[] } {
  const root = join(makeTempDir(), 'session');
  const dumps = writeSession(root, calls, { withoutIndex: true });
  for (const [name, records] of Object.entries(segments)) {
    const lines = records.map((record) => {
      const [functionName, which] = record.split(':');
      const dump = dumps.find(({ record: { function_name } }) => function_name === functionName);
      return readFileSync(join(dump?.path ?? '', 'metadata.jsonl'), 'utf8').split('\n')[
        which === 'end' ? 1 : 0
      ];
    });
    appendFileSync(join(root, `session.${name}.jsonl`), `${lines.join('\n')}\n`);
  }
  return { root, dumps };
}

function shown(root: string): string[] {
  return openSession(root).calls.map(({ functionName, status }) => `${functionName} ${status}`);
}

test('a record in a segment whose dump is gone was dropped: no call, no problem, nothing unreadable', () => {
  const records = ['one:start', 'one:end', 'two:start', 'two:end', 'three:start'];
  const { root, dumps } = segmented({ 'uid4242.1': records });
  rmSync(dumps[0]?.path ?? '', { recursive: true });
  rmSync(dumps[2]?.path ?? '', { recursive: true });
  const session = openSession(root);
  expect(shown(root)).toEqual(['two completed', 'four completed']);
  expect(session.calls.map(({ number, problem }) => [number, problem])).toEqual([
    [1, undefined],
    [2, undefined],
  ]);
  expect(session.unreadableCount).toBe(0);
});

test('in the shared index it is a call whose dump is missing', () => {
  const { root, dumps } = segmented({});
  const line = readFileSync(join(dumps[0]?.path ?? '', 'metadata.jsonl'));
  rmSync(dumps[0]?.path ?? '', { recursive: true });
  writeFileSync(join(root, 'session.jsonl'), line);
  const [call] = openSession(root).calls;
  expect(call).toMatchObject({ functionName: 'one', problem: 'its dump directory is missing' });
});

test('records that were written again into a later segment are the same calls, and nobody complains', () => {
  const { root } = segmented({
    'uid4242.1': ['one:start', 'one:end', 'two:start'],
    'uid4242.2': [
      'two:end',
      'three:start',
      'one:start',
      'one:end',
      'two:start',
      'three:end',
      'four:start',
      'four:end',
    ],
  });
  expect(shown(root)).toEqual(['one completed', 'two completed', 'three completed', 'four completed']);
  expect(openSession(root).unreadableCount).toBe(0);
});

test('calls of several processes are in the order of their starts, wherever their records were written again', () => {
  const calls = CALLS.map((call, index) => ({ ...call, pid: index % 2 === 0 ? 1 : 2 }));
  const { root } = segmented(
    {
      'uid1.7': ['three:start', 'three:end', 'one:start', 'one:end'],
      'uid2.3': ['four:start', 'four:end', 'two:start', 'two:end'],
    },
    calls,
  );
  expect(shown(root).map((text) => text.split(' ')[0])).toEqual(['one', 'two', 'three', 'four']);
});

test('names that begin with a dot are passed over, whatever they hold', () => {
  const { root, dumps } = segmented({ 'uid4242.1': ['one:start', 'one:end'] });
  const [first, second] = dumps.map(({ path }) => path);
  mkdirSync(join(root, '.dropped'));
  cpSync(first ?? '', join(root, '.dropped', 'a'), { recursive: true });
  cpSync(second ?? '', join(root, '.20261124_143217_012_pid1_f_call0001'), { recursive: true });
  writeFileSync(join(root, '.dropped', 'metadata.jsonl'), '{}\n');
  writeFileSync(join(root, '.usage'), 'x');
  expect(openSession(root).calls).toHaveLength(4);
  expect(openSession(root).unreadableCount).toBe(0);
});

test('values under blobs/ are found by the link that a dump holds, where their own name is gone', () => {
  const root = join(makeTempDir(), 'session');
  const sha256 = 'ab'.repeat(32);
  const [dump] = writeSession(root, [
    { functionName: 'one', inputs: { arg_0: { dtype: 'uint8', shape: [3], data: { sha256 } } } },
  ]);
  const blob = join(root, 'blobs', sha256);
  mkdirSync(join(root, 'blobs'));
  writeFileSync(blob, Buffer.of(1, 2, 3));
  linkSync(blob, join(dump?.path ?? '', `${sha256}.blob`));
  rmSync(blob);
  const session = openSession(root);
  const [call] = session.calls;
  if (call === undefined) throw new Error('no call');
  const opened = session.openDump(call);
  const tensor = opened.tensor('inputs', 'arg_0');
  expect(tensor.byteLength).toBe(3);
  opened.close();
  rmSync(join(dump?.path ?? '', `${sha256}.blob`));
  const again = session.openDump(call).tensor('inputs', 'arg_0');
  expect(() => again.verify()).toThrow(/the blob of "arg_0" is missing/);
});
