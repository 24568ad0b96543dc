// A session decides nothing about which files are read: what it names outside of itself is refused.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inspectSession } from '../../../src/core/inspect/index.js';
import type { TensorData } from '../../../src/core/model/tensor.js';
import { type CallEntry, openSession, type Session } from '../../../src/core/session/index.js';
import { tensorOf, type WrittenCall, writeSession } from '../../support/session-writer.js';
import { makeTempDir } from '../../support/temp-dir.js';

const SECRET = Buffer.from('0123456789abcdef');

interface Victim {
  root: string;
  path: string;
  /** A whole session beside the hostile one, whose files it would like to be read. */
  outside: string;
}

function victim(change: Pick<WrittenCall, 'record'> & { data?: TensorData } = {}): Victim {
  const dir = makeTempDir();
  const outside = join(dir, 'outside');
  const secret = { dtype: 'uint8' as const, shape: [16], bytes: SECRET };
  const [other] = writeSession(outside, [{ functionName: 'secret', inputs: { arg_0: secret } }]);
  const root = join(dir, 'session');
  const { data, ...call } = change;
  const input = data === undefined ? secret : { ...secret, data };
  const [written] = writeSession(root, [
    { functionName: 'f', inputs: { arg_0: input }, outputs: { result: tensorOf('uint8', [1]) }, ...call },
  ]);
  return { root, path: written?.path ?? '', outside: other?.path ?? '' };
}

function only(session: Session): CallEntry {
  const [call] = session.calls;
  if (call === undefined || session.calls.length !== 1) throw new Error(`${session.calls.length} calls`);
  return call;
}

/** The code of what reading the call's input throws. */
function codeOfReading(root: string): string {
  const session = openSession(root);
  try {
    session.openDump(only(session)).tensor('inputs', 'arg_0').logicalBytes();
    return 'read';
  } catch (error) {
    return (error as { code: string }).code;
  }
}

function inspected(root: string): string {
  const { calls } = inspectSession(openSession(root), { stats: true, hash: true });
  return JSON.stringify([...calls], (_, value) => (typeof value === 'bigint' ? String(value) : value));
}

const SECRET_HASH = createHash('sha256').update(SECRET).digest('hex');

describe('dump_dir', () => {
  it.each(['..', '.', '/', 'fir_dumps/..', 'a/../..', 'nul\0byte', 'C:\\..', '\\'])(
    '%j is an unsafe name',
    (dumpDir) => {
      const { root, path } = victim({ record: { dump_dir: dumpDir } });
      rmSync(path, { recursive: true });
      const session = openSession(root);
      const call = only(session);
      expect(call.problem).toBe('its dump directory has an unsafe name');
      expect(() => session.openDump(call)).toThrow(expect.objectContaining({ code: 'UNSAFE_PATH' }));
      expect(inspected(root)).toContain('its dump directory has an unsafe name');
    },
  );

  it('is looked for beside the session file, wherever it was recorded', () => {
    const { root, path, outside } = victim();
    rmSync(path, { recursive: true });
    const index = join(root, 'session.jsonl');
    for (const dumpDir of [outside, `../outside/${outside.split('/').at(-1)}`, '/etc', '../../../../etc']) {
      const record = JSON.parse(readFileSync(index, 'utf8').split('\n').at(-2) ?? '');
      writeFileSync(index, `${JSON.stringify({ ...record, dump_dir: dumpDir })}\n`);
      const session = openSession(root);
      expect(only(session).problem).toBe('its dump directory is missing');
      expect(() => session.openDump(only(session))).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
    }
  });

  it('of a name past any file system’s bound is missing', () => {
    const { root, path } = victim({ record: { dump_dir: 'x'.repeat(100_000) } });
    rmSync(path, { recursive: true });
    expect(only(openSession(root)).problem).toBe('its dump directory is missing');
  });

  it('that is a symbolic link is not followed, whether a record names it or not', () => {
    for (const keepsIndex of [true, false]) {
      const { root, path, outside } = victim();
      if (!keepsIndex) writeFileSync(join(root, 'session.jsonl'), '');
      rmSync(path, { recursive: true });
      symlinkSync(outside, path);
      const session = openSession(root);
      expect(only(session).problem).toBe('its dump directory is a symbolic link');
      expect(() => session.openDump(only(session))).toThrow(expect.objectContaining({ code: 'UNSAFE_PATH' }));
      expect(inspected(root)).not.toContain(SECRET_HASH);
    }
  });

  it('that becomes a symbolic link later is not followed either', () => {
    const { root, path, outside } = victim();
    const session = openSession(root);
    rmSync(path, { recursive: true });
    symlinkSync(outside, path);
    expect(() => session.openDump(only(session))).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
  });

  it('that is a file is no dump', () => {
    const { root, path } = victim();
    rmSync(path, { recursive: true });
    writeFileSync(path, '');
    expect(only(openSession(root)).problem).toBe('its dump directory is not a directory');
  });
});

describe('a file name in a record', () => {
  it.each([
    '../outside/inputs.safetensors',
    '/etc/passwd',
    'sub/inputs.safetensors',
    '..\\inputs.safetensors',
    '..',
    '.',
    '',
    'inputs.safetensors\0',
  ])('%j is refused', (file) => {
    const { root } = victim({ data: { file, key: 'arg_0' } });
    expect(codeOfReading(root)).toBe('UNSAFE_PATH');
  });

  it.each(['../outside/x', '..', '', 'A'.repeat(64), `${'a'.repeat(63)}/`, 'a'.repeat(63)])(
    'as a hash %j is refused',
    (sha256) => {
      expect(codeOfReading(victim({ data: { sha256 } }).root)).toBe('UNSAFE_PATH');
    },
  );
});

describe('symbolic links', () => {
  it('of a tensor file that lead out are refused', () => {
    const { root, path, outside } = victim();
    expect(codeOfReading(root)).toBe('read');
    rmSync(join(path, 'inputs.safetensors'));
    symlinkSync(join(outside, 'inputs.safetensors'), join(path, 'inputs.safetensors'));
    expect(codeOfReading(root)).toBe('UNSAFE_PATH');
    expect(inspected(root)).not.toContain(SECRET_HASH);
  });

  it('of a tensor file that stay inside are followed', () => {
    const { root, path } = victim();
    const store = join(root, 'store');
    mkdirSync(store);
    renameSync(join(path, 'inputs.safetensors'), join(store, 'x'));
    symlinkSync(join('..', 'store', 'x'), join(path, 'inputs.safetensors'));
    expect(codeOfReading(root)).toBe('read');
  });

  it('that lead nowhere or around are a missing file', () => {
    const { root, path } = victim();
    rmSync(join(path, 'inputs.safetensors'));
    symlinkSync('inputs.safetensors', join(path, 'inputs.safetensors'));
    expect(codeOfReading(root)).toBe('TENSOR_DATA_MISSING');
  });

  it('of a sibling directory whose name begins like the session’s are refused', () => {
    const { root, path, outside } = victim();
    const sibling = `${root}-evil`;
    cpSync(outside, sibling, { recursive: true });
    rmSync(join(path, 'inputs.safetensors'));
    symlinkSync(join(sibling, 'inputs.safetensors'), join(path, 'inputs.safetensors'));
    expect(codeOfReading(root)).toBe('UNSAFE_PATH');
  });

  it('of a blob that lead out are refused', () => {
    const { root } = victim({ data: { sha256: SECRET_HASH } });
    const secret = join(root, '..', 'secret');
    writeFileSync(secret, SECRET);
    mkdirSync(join(root, 'blobs'));
    symlinkSync(secret, join(root, 'blobs', SECRET_HASH));
    expect(codeOfReading(root)).toBe('UNSAFE_PATH');
  });

  it('of a directory of blobs or of process headers that lead out are not followed', () => {
    const { root, outside } = victim({ data: { sha256: SECRET_HASH } });
    const store = join(outside, '..', 'store');
    mkdirSync(store);
    writeFileSync(join(store, SECRET_HASH), SECRET);
    symlinkSync(store, join(root, 'blobs'));
    expect(codeOfReading(root)).toBe('UNSAFE_PATH');
    rmSync(join(root, 'processes'), { recursive: true });
    symlinkSync(join(outside, '..', 'processes'), join(root, 'processes'));
    expect(openSession(root).processes.size).toBe(0);
  });

  it('of the index that lead out are refused', () => {
    for (const name of ['session.jsonl', 'session.uid.1.jsonl']) {
      const { root, outside } = victim();
      rmSync(join(root, name), { force: true });
      symlinkSync(join(outside, '..', 'session.jsonl'), join(root, name));
      expect(() => openSession(root)).toThrow(expect.objectContaining({ code: 'UNSAFE_PATH' }));
    }
  });

  it('of a dump’s records that lead out are not followed', () => {
    const { root, path, outside } = victim();
    writeFileSync(join(root, 'session.jsonl'), '');
    rmSync(join(path, 'metadata.jsonl'));
    symlinkSync(join(outside, 'metadata.jsonl'), join(path, 'metadata.jsonl'));
    const call = only(openSession(root));
    expect([call.status, call.problem]).toEqual([
      'no_record',
      'its metadata.jsonl is outside the session or no file',
    ]);
    expect(inspected(root)).not.toContain('secret');
  });

  it('of a process header that lead out are refused', () => {
    const { root } = victim();
    const header = join(root, 'processes', 'uid4242.json');
    const outside = join(root, '..', 'header.json');
    renameSync(header, outside);
    symlinkSync(outside, header);
    const session = openSession(root);
    expect(session.processes.size).toBe(0);
    expect(session.unreadable).toEqual([expect.objectContaining({ file: 'processes/uid4242.json' })]);
  });
});

function makePipe(path: string): void {
  execFileSync('sh', ['-c', 'mkfifo "$0"', path]);
}

describe('pipes, which could hold a reader for ever', () => {
  it.each([
    ['tensor file', (path: string) => join(path, 'inputs.safetensors')],
    ['file of records', (path: string) => join(path, 'metadata.jsonl')],
    ['process header', (path: string) => join(path, '..', 'processes', 'uid4242.json')],
  ])('in place of a %s are not opened', (_, fileOf) => {
    const { root, path } = victim({ record: { execution_status: 'inputs_saved' } });
    rmSync(fileOf(path));
    makePipe(fileOf(path));
    expect(inspected(root)).toContain('"call":1');
  });

  it('in place of the index are refused', () => {
    const { root } = victim();
    rmSync(join(root, 'session.jsonl'));
    makePipe(join(root, 'session.jsonl'));
    expect(() => openSession(root)).toThrow(expect.objectContaining({ code: 'UNSAFE_PATH' }));
    expect(() => openSession(join(root, 'session.jsonl'))).toThrow(
      expect.objectContaining({ code: 'NOT_A_SESSION' }),
    );
  });
});
