import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSession } from '../../../src/core/session/index.js';
import { type WrittenCall, writeSession } from '../../support/session-writer.js';
import { makeTempDir } from '../../support/temp-dir.js';

const INDEX = 'session.jsonl';

function functionsOf(dir: string): string[] {
  return openSession(dir).calls.map((call) => call.functionName);
}

/** Splits the lines of an index over other files of the session. */
function splitIndex(dir: string, fileOf: (line: string, index: number) => string): void {
  const files = new Map<string, string>();
  readFileSync(join(dir, INDEX), 'utf8')
    .split(/(?<=\n)/)
    .forEach((line, index) => {
      const name = fileOf(line, index);
      files.set(name, (files.get(name) ?? '') + line);
    });
  rmSync(join(dir, INDEX));
  for (const [name, text] of files) writeFileSync(join(dir, name), text);
}

describe('order of calls', () => {
  it('is that of the first records, not of the directories’ names', () => {
    const dir = makeTempDir();
    const time = { timestamp: '20261124_120000_000' };
    const names = ['Wrapper.__init__', 'append_paged_kv_cache', 'Wrapper.run', 'Wrapper.plan'];
    writeSession(
      dir,
      names.map((functionName) => ({ functionName, record: time })),
      { foreign: true },
    );
    expect(functionsOf(dir)).toEqual(names);
  });

  it('is the sequence of starts within a process of fir, whichever record was written first', () => {
    const dir = makeTempDir();
    writeSession(dir, [
      { functionName: 'third', processUid: 'a', fir: { sequence: 3 } },
      { functionName: 'other-first', processUid: 'b', pid: 7, fir: { sequence: 1 } },
      { functionName: 'first', processUid: 'a', fir: { sequence: 1 } },
      { functionName: 'other-second', processUid: 'b', pid: 7, fir: { sequence: 2 } },
      { functionName: 'second', processUid: 'a', fir: { sequence: 2 } },
    ]);
    expect(functionsOf(dir)).toEqual(['first', 'other-first', 'second', 'other-second', 'third']);
  });

  it('merges the segments of several processes by time, each in its own order', () => {
    const dir = makeTempDir();
    const calls = Array.from({ length: 12 }, (_, index): WrittenCall => {
      const processUid = ['a', 'b', 'c'][index % 3] ?? 'a';
      return { functionName: `f${index}`, processUid, pid: 100 + (index % 3) };
    });
    writeSession(dir, calls);
    const uidOf = (line: string) => /"process_uid":"(\w)"/.exec(line)?.[1] ?? '';
    splitIndex(dir, (line, index) =>
      uidOf(line) === 'a' ? INDEX : `session.${uidOf(line)}.${index < 12 ? 2 : 10}.jsonl`,
    );
    const session = openSession(dir);
    expect(session.calls.map((call) => call.functionName)).toEqual(calls.map((call) => call.functionName));
    expect([session.records, session.unreadableCount]).toEqual([24, 0]);
    for (const call of session.calls) expect(session.readRecord(call).function_name).toBe(call.functionName);
  });

  it('keeps a file’s order where its clock went back', () => {
    const dir = makeTempDir();
    const times = ['20261124_120000_000', '20261124_110000_000', '20261124_110500_000'];
    writeSession(
      dir,
      times.map((timestamp, index) => ({ functionName: `f${index}`, record: { timestamp } })),
      { foreign: true },
    );
    splitIndex(dir, (_, line) => (line < 4 ? INDEX : 'session.x.1.jsonl'));
    expect(functionsOf(dir).filter((name) => name !== 'f2')).toEqual(['f0', 'f1']);
  });

  it('reads a session that only has segments', () => {
    const dir = makeTempDir();
    writeSession(dir, [{ functionName: 'a' }, { functionName: 'b' }]);
    renameSync(join(dir, INDEX), join(dir, 'session.uid4242.1.jsonl'));
    expect(functionsOf(dir)).toEqual(['a', 'b']);
  });

  it('puts calls that no index names where their process and their time have them', () => {
    const dir = makeTempDir();
    writeSession(
      dir,
      ['a', 'b', 'c', 'd'].map((functionName) => ({ functionName })),
    );
    splitIndex(dir, (_, line) => (line === 2 || line === 3 ? 'lost' : INDEX));
    expect(functionsOf(dir)).toEqual(['a', 'b', 'c', 'd']);

    const foreign = makeTempDir();
    writeSession(
      foreign,
      ['a', 'b', 'c', 'd'].map((functionName) => ({ functionName })),
      { foreign: true },
    );
    splitIndex(foreign, (_, line) => (line === 2 || line === 3 ? 'lost' : INDEX));
    expect(functionsOf(foreign)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('orders the dumps of a lost index by sequence', () => {
    const dir = makeTempDir();
    const calls = Array.from({ length: 12 }, (_, index) => ({ functionName: `f${12 - index}` }));
    writeSession(dir, calls, { withoutIndex: true });
    expect(functionsOf(dir)).toEqual(calls.map((call) => call.functionName));
  });
});

describe('processes of recorders that name none', () => {
  it('are told apart where a function’s calls are counted anew under the same id', () => {
    const dir = makeTempDir();
    const sequences = [1, 2, 1, 2, 3];
    writeSession(
      dir,
      sequences.map((sequence, index) => ({
        functionName: 'gemm',
        pid: 1,
        record: { call_sequence: sequence },
        processUid: `unused${index}`,
      })),
      { foreign: true },
    );
    const session = openSession(dir);
    expect(session.calls.map((call) => `${call.processUid} ${call.sequence}`)).toEqual([
      'pid1 1',
      'pid1 2',
      'pid1#2 1',
      'pid1#2 2',
      'pid1#2 3',
    ]);
  });

  it('are one where threads wrote out of order or a record is lost', () => {
    const dir = makeTempDir();
    const sequences = [2, 1, 3, 5, 4, 8];
    writeSession(
      dir,
      sequences.map((sequence, index) => ({
        functionName: 'gemm',
        record: { call_sequence: sequence },
        processUid: `unused${index}`,
      })),
      { foreign: true },
    );
    expect(new Set(openSession(dir).calls.map((call) => call.processUid))).toEqual(new Set(['pid4242']));
  });
});

describe('generations of objects', () => {
  it('count the objects that had one id after the other', () => {
    const dir = makeTempDir();
    const call = (functionName: string, selfId: number) => ({ functionName, selfId });
    writeSession(
      dir,
      [
        call('Wrapper.run', 5),
        call('Wrapper.__init__', 5),
        call('Wrapper.run', 5),
        call('Other.__init__', 5),
        call('Wrapper.__init__', 5),
        call('Wrapper.run', 5),
        call('Wrapper.run', 6),
        { functionName: 'free' },
      ],
      { foreign: true },
    );
    expect(openSession(dir).calls.map((entry) => entry.generation)).toEqual([0, 1, 1, 1, 2, 2, 0, undefined]);
  });

  it('begin with a factory that fir recorded, too', () => {
    const dir = makeTempDir();
    writeSession(dir, [
      {
        functionName: 'Session.create',
        selfId: 1,
        kind: 'static',
        fir: { constructs: true, self_class: 'Session' },
      },
      { functionName: 'Session.run', selfId: 1, fir: { self_class: 'Session', parent: 1 } },
      { functionName: 'Session.run', selfId: 9_007_199_254_740_993n, fir: { parent: 'unknown' } },
    ]);
    const [create, run, lost] = openSession(dir).calls;
    expect([create?.kind, create?.constructs, create?.generation, create?.parent]).toEqual([
      'static',
      true,
      1,
      null,
    ]);
    expect([run?.selfId, run?.selfClass, run?.generation, run?.parent]).toEqual([1, 'Session', 1, 1]);
    expect([lost?.selfId, lost?.generation, lost?.parent]).toEqual([9_007_199_254_740_993n, 0, 'unknown']);
  });
});
