import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSession } from '../../../src/core/session/index.js';
import { tensorOf, writeSession } from '../../support/session-writer.js';
import { makeTempDir } from '../../support/temp-dir.js';

function twoCalls(options = {}): { dir: string; dumps: string[] } {
  const dir = makeTempDir();
  const written = writeSession(
    dir,
    [
      { functionName: 'gemm', inputs: { arg_0: tensorOf('float32', [1, 2]) } },
      { functionName: 'norm', inputs: { arg_0: tensorOf('float32', [3]) } },
    ],
    options,
  );
  return { dir, dumps: written.map(({ dump }) => dump) };
}

describe('openSession', () => {
  it.each(['', '/', '/session.jsonl'])('opens a session by its directory and %j', (suffix) => {
    const { dir, dumps } = twoCalls();
    const session = openSession(`${dir}${suffix}`);
    expect(session.calls.map((call) => call.dump)).toEqual(dumps);
    expect(session.calls.map((call) => call.problem)).toEqual([undefined, undefined]);
  });

  it('opens a session or a dump through a symbolic link that names it', () => {
    const { dir, dumps } = twoCalls();
    const link = join(makeTempDir(), 'latest');
    symlinkSync(dir, link);
    const [first] = openSession(link).calls;
    expect(first?.dump).toBe(dumps[0]);
    const dumpLink = join(makeTempDir(), 'the-call');
    symlinkSync(join(dir, dumps[1] ?? ''), dumpLink);
    const [call] = openSession(dumpLink).calls;
    expect([call?.functionName, call?.problem]).toEqual(['norm', undefined]);
  });

  it('rebuilds a session without an index from its dumps', () => {
    const { dir, dumps } = twoCalls({ withoutIndex: true });
    const session = openSession(dir);
    expect(session.calls.map((call) => [call.dump, call.status])).toEqual(
      dumps.map((dump) => [dump, 'completed']),
    );
    expect(session.records).toBe(4);
    const [first] = session.calls;
    if (first === undefined) throw new Error('no call');
    expect(session.openDump(first).tensor('inputs', 'arg_0').shape).toEqual([2]);
  });

  it.each(['', '/', '/metadata.jsonl'])('opens one dump by its directory and %j', (suffix) => {
    const { dir, dumps } = twoCalls();
    const session = openSession(`${join(dir, dumps[1] ?? '')}${suffix}`);
    expect(session.calls.map((call) => [call.number, call.functionName, call.status])).toEqual([
      [1, 'norm', 'completed'],
    ]);
    expect(session.root).toBe(dir);
    expect(session.processes.size).toBe(1);
  });

  it('opens a dump whose directory was given another name', () => {
    const { dir, dumps } = twoCalls();
    const copy = join(makeTempDir(), 'the-bad-one');
    mkdirSync(copy);
    for (const name of ['metadata.jsonl', 'inputs.safetensors']) {
      writeFileSync(join(copy, name), readFileSync(join(dir, dumps[0] ?? '', name)));
    }
    const session = openSession(copy);
    const [call] = session.calls;
    if (call === undefined) throw new Error('no call');
    expect([call.functionName, call.dump]).toEqual(['gemm', 'the-bad-one']);
    expect(session.openDump(call).tensor('inputs', 'arg_0').byteLength).toBe(8);
  });

  it('opens an empty index as a session without calls', () => {
    const dir = makeTempDir();
    writeFileSync(join(dir, 'session.jsonl'), '');
    const session = openSession(dir);
    expect([session.calls.length, session.producer]).toEqual([0, 'unknown']);
  });

  it('says where there is nothing', () => {
    const path = join(makeTempDir(), 'nowhere');
    expect(() => openSession(path)).toThrow(expect.objectContaining({ code: 'NOT_FOUND', where: path }));
  });

  it('says that an empty directory is no session, and how to get one', () => {
    const error = expect.objectContaining({
      code: 'NOT_A_SESSION',
      hint: expect.stringContaining('fir capture'),
    });
    expect(() => openSession(makeTempDir())).toThrow(error);
  });

  it('says that another directory or file is no session', () => {
    const dir = makeTempDir();
    mkdirSync(join(dir, 'src'));
    mkdirSync(join(dir, 'blobs'));
    writeFileSync(join(dir, 'src', 'index.js'), '');
    writeFileSync(join(dir, 'notes.jsonl'), '{}\n');
    expect(() => openSession(dir)).toThrow(expect.objectContaining({ code: 'NOT_A_SESSION' }));
    expect(() => openSession(join(dir, 'notes.jsonl'))).toThrow(
      expect.objectContaining({ code: 'NOT_A_SESSION' }),
    );
  });

  it('takes no other directory beside the dumps for a call', () => {
    const { dir } = twoCalls();
    mkdirSync(join(dir, 'notes'));
    mkdirSync(join(dir, 'blobs'));
    writeFileSync(join(dir, 'blobs', 'metadata.jsonl'), '');
    expect(openSession(dir).calls).toHaveLength(2);
  });

  it('never changes what it reads', () => {
    const { dir } = twoCalls();
    const before = listing(dir);
    for (const path of [dir, ...readdirSync(dir).map((name) => join(dir, name))]) {
      chmodSync(path, statSync(path).mode & ~0o222);
    }
    const session = openSession(dir);
    for (const call of session.calls) session.openDump(call).close();
    expect(listing(dir)).toEqual(before);
    for (const path of [dir, ...readdirSync(dir).map((name) => join(dir, name))]) chmodSync(path, 0o700);
  });
});

describe('dumps and the index', () => {
  it('keeps a call whose directory is missing, with the reason', () => {
    const { dir, dumps } = twoCalls();
    rmSync(join(dir, dumps[0] ?? ''), { recursive: true });
    const session = openSession(dir);
    const [first, second] = session.calls;
    if (first === undefined) throw new Error('no call');
    expect([first.status, first.problem]).toEqual(['completed', 'its dump directory is missing']);
    expect(second?.problem).toBeUndefined();
    expect(session.readRecord(first).function_name).toBe('gemm');
    expect(() => session.openDump(first)).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
  });

  it('keeps a dump of which nothing is known, with the reason', () => {
    const { dir } = twoCalls();
    const prefix = '20261124_150000_000_pid77_attention.run_call';
    mkdirSync(join(dir, `${prefix}0001`));
    mkdirSync(join(dir, `${prefix}0002`));
    writeFileSync(join(dir, `${prefix}0002`, 'inputs.safetensors'), '');
    mkdirSync(join(dir, 'renamed'));
    writeFileSync(join(dir, 'renamed', 'metadata.jsonl'), '{"function_na');
    const session = openSession(dir);
    expect(
      session.calls
        .slice(2)
        .map(({ functionName, pid, status, problem }) => [functionName, pid, status, problem]),
    ).toEqual([
      ['attention.run', 77, 'no_record', 'its dump directory is empty'],
      ['attention.run', 77, 'no_record', 'its dump directory has no metadata.jsonl'],
      ['', 0, 'no_record', 'its metadata.jsonl holds no readable record'],
    ]);
    expect(session.unreadable).toEqual([
      { file: 'renamed/metadata.jsonl', offset: 0, reason: 'torn: the file ends in the middle of a record' },
    ]);
    for (const call of session.calls.slice(2)) {
      expect(() => session.readRecord(call)).toThrow(expect.objectContaining({ code: 'UNREADABLE_RECORD' }));
      expect(() => session.openDump(call)).toThrow(expect.objectContaining({ code: 'UNREADABLE_RECORD' }));
    }
  });

  it('says when the directory went away after the session was opened', () => {
    const { dir, dumps } = twoCalls();
    const session = openSession(dir);
    rmSync(join(dir, dumps[0] ?? ''), { recursive: true });
    const [first] = session.calls;
    if (first === undefined) throw new Error('no call');
    expect(() => session.openDump(first)).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
  });

  it('finds dumps recorded with another machine’s separators', () => {
    const { dir, dumps } = twoCalls();
    const index = join(dir, 'session.jsonl');
    const text = readFileSync(index, 'utf8').replaceAll('fir_dumps/', String.raw`C:\\traces\\fir_dumps\\`);
    writeFileSync(index, text);
    const session = openSession(dir);
    expect(session.calls.map((call) => [call.dump, call.problem])).toEqual(
      dumps.map((dump) => [dump, undefined]),
    );
  });
});

function listing(dir: string): [string, number, number][] {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => {
      const { size, mtimeMs } = statSync(join(dir, name));
      return [name, size, mtimeMs];
    });
}
