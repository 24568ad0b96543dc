import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSession } from '../../../src/core/session/index.js';
import { writeSession } from '../../support/session-writer.js';
import { makeTempDir } from '../../support/temp-dir.js';

describe('process headers', () => {
  it('are known by their process', () => {
    const dir = makeTempDir();
    writeSession(dir, [{ functionName: 'gemm' }], {
      header: { node_options: '--import tsx', argv: ['node', 'a.js'] },
    });
    const header = openSession(dir).processes.get('uid4242');
    expect(header).toMatchObject({ pid: 4242, node_options: '--import tsx', argv: ['node', 'a.js'] });
    expect(header?.versions['node']).toBe('20.19.0');
  });

  it('say how to find a function where its record could not yet', () => {
    const dir = makeTempDir();
    const resolve = { kind: 'module', root: '/app', module: 'kernels.js', export: 'gemm' } as const;
    const own = { kind: 'unresolved', reason: 'not exported' } as const;
    writeSession(
      dir,
      [{ functionName: 'gemm' }, { functionName: 'gemm', fir: { resolve: own } }, { functionName: 'b' }],
      {
        header: { functions: { gemm: resolve } },
      },
    );
    const session = openSession(dir);
    const resolutions = session.calls.map((call) => session.resolveOf(call, session.readRecord(call)));
    expect(resolutions).toEqual([resolve, own, undefined]);
  });

  it('say it once for all members of a class', () => {
    const dir = makeTempDir();
    const resolve = { kind: 'module', root: '/app', module: 'kernels.js', export: 'Gather' } as const;
    writeSession(
      dir,
      ['Gather.__init__', 'Gather.run', 'Gatherer.run'].map((functionName) => ({ functionName })),
      { header: { functions: { Gather: resolve } } },
    );
    const session = openSession(dir);
    const resolutions = session.calls.map((call) => session.resolveOf(call, session.readRecord(call)));
    expect(resolutions).toEqual([resolve, resolve, undefined]);
  });

  it('keep what has the right type and leave the rest empty', () => {
    const dir = makeTempDir();
    writeSession(dir, [{ functionName: 'gemm' }]);
    const path = join(dir, 'processes', 'uid4242.json');
    const header = JSON.parse(readFileSync(path, 'utf8'));
    const functions = {
      a: { kind: 'package', package: 'p', version: '1.0.0', subpath: 'lib', export: 'a' },
      b: { kind: 'adapter', adapter: 'onnxruntime', package: 'onnxruntime-node' },
      c: { kind: 'module', export: 'c' },
      d: 'x',
      e: { kind: 'package', export: 'e' },
      f: { kind: 'adapter', adapter: 'x' },
      g: { kind: 'other' },
    };
    const damaged = {
      ...header,
      argv: 'node',
      env: { A: 1, B: '2' },
      gpus: [1, {}],
      host: 3,
      errors: [{}],
      functions,
    };
    writeFileSync(path, JSON.stringify(damaged));
    const read = openSession(dir).processes.get('uid4242');
    expect(read).toMatchObject({ argv: [], env: { B: '2' }, gpus: [{}], errors: [] });
    expect(read?.host.platform).toBe('');
    expect(Object.keys(read?.functions ?? {})).toEqual(['a', 'b']);
  });

  it.each([
    ['no JSON', '{', /^invalid JSON/],
    ['another format', '{"format":"fir.process/9"}', 'not a process header of a known format'],
    ['no process', '{"format":"fir.process/1"}', 'not a process header: no process_uid'],
    ['another name', '{"format":"fir.process/1","process_uid":"../../x"}', 'its process_uid is not its name'],
    ['too long', ' '.repeat(5_000_000), 'longer than 4194304 bytes'],
  ])('that have %s are skipped and counted', (_, text, reason) => {
    const dir = makeTempDir();
    writeSession(dir, [{ functionName: 'gemm' }]);
    writeFileSync(join(dir, 'processes', 'uid4242.json'), text);
    const session = openSession(dir);
    expect(session.processes.size).toBe(0);
    expect(session.unreadable).toEqual([
      {
        file: 'processes/uid4242.json',
        offset: 0,
        reason: typeof reason === 'string' ? reason : expect.stringMatching(reason),
      },
    ]);
  });
});
