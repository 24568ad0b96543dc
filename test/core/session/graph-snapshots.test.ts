import { cpSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inspectSession } from '../../../src/core/inspect/index.js';
import { openSession } from '../../../src/core/session/index.js';
import { copyFixture, fixturePath } from '../../support/flashinfer-fixtures.js';

const SCALED = '20261124_231722_975_pid19580_scaled_mm_call0001';
const IN_PLACE = '20261124_231722_977_pid19580_inplace_add_call0001';
const INDEX = 'session.jsonl';

function dumpsOf(path: string): string[] {
  return openSession(path).calls.map((call) => call.dump.replace(/\d{8}_\d{6}_\d{3}_pid\d+_/, ''));
}

const IN_ORDER = [
  'rms_norm_call0001',
  'topk_call0001',
  'scaled_mm_call0001/graph_flushes/flush_0001',
  'rms_norm_call0002/graph_flushes/flush_0001',
  'inplace_add_call0001/graph_flushes/flush_0001',
  'scaled_mm_call0001/graph_flushes/flush_0002',
  'rms_norm_call0002/graph_flushes/flush_0002',
  'inplace_add_call0001/graph_flushes/flush_0002',
  'drifting_call0001',
];

describe('snapshots of a CUDA graph', () => {
  it('are calls in the order of their own first records; what repeats the one before is left out', () => {
    const session = openSession(fixturePath('graph_flush'));
    expect(dumpsOf(fixturePath('graph_flush'))).toEqual(IN_ORDER);
    expect(session.repeatedSnapshots).toBe(3);
    expect(session.calls.map((call) => call.graphCapture)).toEqual([
      false,
      ...Array.from({ length: 7 }, () => true),
      false,
    ]);
  });

  it('are one process with their calls, numbered without those that are none', () => {
    const { calls } = openSession(fixturePath('graph_flush'));
    expect(new Set(calls.map((call) => call.processUid))).toEqual(new Set(['pid19580', 'pid19581']));
    const own = calls.filter((call) => call.pid === 19580);
    expect(own.map((call) => call.sequence)).toEqual(own.map((_, index) => index + 1));
    expect(calls.every((call) => call.parent === 'unknown')).toBe(true);
  });

  it('of a call that returned no tensor have ended', () => {
    const { calls } = openSession(fixturePath('graph_flush'));
    expect(calls.filter((call) => call.functionName === 'inplace_add').map((call) => call.status)).toEqual([
      'completed',
      'completed',
    ]);
  });

  it('each have the values of their replay', () => {
    const session = openSession(fixturePath('graph_flush'));
    const hashes = [...inspectSession(session, { hash: true }).calls]
      .filter((call) => call.function === 'scaled_mm')
      .map((call) => call.outputs.map(({ sha256 }) => sha256));
    expect(hashes).toHaveLength(2);
    expect(hashes[0]).not.toEqual(hashes[1]);
  });

  it('are found where the index is missing, in the order of the replays', () => {
    const path = copyFixture('graph_flush');
    rmSync(join(path, INDEX));
    const [first = '', topk = '', ...rest] = IN_ORDER;
    // Another process’s call is ordered by its time: before the graph that was captured earlier ran, or after.
    expect(dumpsOf(path).filter((dump) => dump !== topk)).toEqual([first, ...rest]);
    expect(openSession(path).repeatedSnapshots).toBe(3);
  });

  it('are found where the index names their calls alone', () => {
    const path = copyFixture('graph_flush');
    const lines = readFileSync(join(path, INDEX), 'utf8').split(/(?<=\n)/);
    writeFileSync(join(path, INDEX), lines.filter((line) => !line.includes('graph_flushes')).join(''));
    expect(dumpsOf(path).filter((dump) => dump.includes('/'))).toHaveLength(6);
  });

  it('of one call are opened by its directory, and one by its own', () => {
    const root = join(fixturePath('graph_flush'), SCALED);
    expect(dumpsOf(root)).toEqual(IN_ORDER.filter((dump) => dump.startsWith('scaled_mm')));
    const session = openSession(join(root, 'graph_flushes', 'flush_0002'));
    expect(session.calls.map((call) => [call.dump, call.status])).toEqual([['flush_0002', 'completed']]);
  });

  it('that are gone leave the call itself, which holds the last one', () => {
    const path = copyFixture('graph_flush');
    rmSync(join(path, SCALED, 'graph_flushes'), { recursive: true });
    const calls = openSession(path).calls.filter((call) => call.functionName === 'scaled_mm');
    expect(calls.map((call) => [call.dump.slice(SCALED.length), call.status, call.problem])).toEqual([
      ['', 'completed', undefined],
      ['/graph_flushes/flush_0001', 'completed', 'its dump directory is missing'],
      ['/graph_flushes/flush_0002', 'completed', 'its dump directory is missing'],
      ['/graph_flushes/flush_0003', 'completed', 'its dump directory is missing'],
    ]);
  });

  it('differ where one byte does, or one file is not there', () => {
    const path = copyFixture('graph_flush');
    const last = (name: string) => join(path, name, 'graph_flushes', 'flush_0003');
    const file = join(last(SCALED), 'inputs.pt');
    const bytes = readFileSync(file);
    bytes[bytes.length - 200] = (bytes[bytes.length - 200] ?? 0) ^ 1;
    writeFileSync(file, bytes);
    rmSync(join(path, '20261124_231722_976_pid19580_rms_norm_call0002/graph_flushes/flush_0003/outputs.pt'));
    const session = openSession(path);
    expect(session.repeatedSnapshots).toBe(1);
    expect(session.calls.filter((call) => call.dump.endsWith('flush_0003'))).toHaveLength(2);
  });

  it('are in order past the ninth, and past what four digits hold', () => {
    const path = copyFixture('graph_flush');
    rmSync(join(path, INDEX));
    const flushes = join(path, IN_PLACE, 'graph_flushes');
    for (const [index, name] of ['flush_0010', 'flush_9999', 'flush_10000'].entries()) {
      cpSync(join(flushes, index === 1 ? 'flush_0002' : 'flush_0001'), join(flushes, name), {
        recursive: true,
      });
    }
    for (const name of ['flush_x', 'notes', 'flush_', 'flush_1234567890']) {
      cpSync(join(flushes, 'flush_0001'), join(flushes, name), { recursive: true });
    }
    expect(
      openSession(path)
        .calls.filter((call) => call.dump.startsWith(IN_PLACE))
        .map((call) => call.dump.slice(-5)),
    ).toEqual(['_0001', '_0002', '_0010', '_9999', '10000']);
  });

  it('without a record show what their files hold', () => {
    const path = copyFixture('graph_flush');
    rmSync(join(path, INDEX));
    const snapshot = join(path, SCALED, 'graph_flushes', 'flush_0002');
    writeFileSync(join(snapshot, 'metadata.jsonl'), '');
    const call = [...inspectSession(openSession(path)).calls].find(({ dump }) => snapshot.endsWith(dump));
    expect(call).toMatchObject({ function: 'scaled_mm', pid: 19580, status: 'no_record' });
    expect(call?.inputs.map(({ key }) => key)).toEqual(['arg_0', 'arg_1']);
    expect(readdirSync(snapshot)).toHaveLength(3);
  });
});

describe('a directory of snapshots', () => {
  it('that is a symbolic link is not followed', () => {
    const path = copyFixture('graph_flush');
    const outside = copyFixture('graph_flush', 'outside');
    const flushes = join(path, SCALED, 'graph_flushes');
    rmSync(flushes, { recursive: true });
    symlinkSync(join(outside, SCALED, 'graph_flushes'), flushes);
    const problems = openSession(path).calls.filter((call) => call.dump.includes(`${SCALED}/`));
    expect(problems.map((call) => call.problem)).toEqual(
      Array.from({ length: 3 }, () => 'its dump directory is a symbolic link'),
    );
  });
});
