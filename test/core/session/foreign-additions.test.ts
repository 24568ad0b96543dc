import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { TensorLayout } from '../../../src/core/model/tensor.js';
import { type CallEntry, openSession, type Session } from '../../../src/core/session/index.js';
import { tensorOf, type WrittenCall, writeSession } from '../../support/session-writer.js';
import { makeTempDir } from '../../support/temp-dir.js';

type WrittenRecord = NonNullable<WrittenCall['record']>;

/** A record of another recorder to which fir added something. */
function added(fields: object, more: object = {}): WrittenRecord {
  return { ...more, fir: { recorder: 'flashinfer', ...fields } } as unknown as WrittenRecord;
}

function open(calls: readonly WrittenCall[], dir = makeTempDir()): Session {
  writeSession(dir, calls, { foreign: true });
  return openSession(dir);
}

function processesOf(calls: readonly CallEntry[]): string[] {
  return calls.map(({ processUid, sequence }) => `${processUid} ${sequence}`);
}

const layout: TensorLayout = {
  storage: 1,
  storageBytes: 48,
  offset: 2,
  stride: [1, 2],
  shape: [2, 2],
  dtype: 'float32',
  device: 'cuda:1',
};

describe('a foreign record with additions of fir', () => {
  it('stays foreign and tells what was added', () => {
    const session = open([{ functionName: 'f', record: added({ process: 'pid4242#2', redacted: true }) }]);
    const [call] = session.calls;
    if (call === undefined) throw new Error('no call');
    expect(call.recorder).toBe('foreign');
    expect(session.producer).toBe('flashinfer');
    const record = session.readRecord(call);
    expect(record.fir).toBeUndefined();
    expect(record.foreign).toEqual({
      recorder: 'flashinfer',
      process: 'pid4242#2',
      tensors: {},
      redacted: true,
    });
  });

  it('belongs to the process that it names', () => {
    const { calls } = open([
      { functionName: 'f' },
      { functionName: 'f', record: added({ process: 'pid4242#3' }, { call_sequence: 7 }) },
      { functionName: 'f', record: added({ process: 'pid4242#2' }, { call_sequence: 8 }) },
      { functionName: 'g' },
      { functionName: 'h', record: added({ process: 'pid4242#3' }) },
    ]);
    expect(processesOf(calls)).toEqual([
      'pid4242 1',
      'pid4242#3 1',
      'pid4242#2 1',
      'pid4242 2',
      'pid4242#3 2',
    ]);
  });

  it('counts the objects of each named process by itself', () => {
    const object = { self_id: 99, input_metadata: { arg_0: { type: 'Wrapper', repr: 'a wrapper' } } };
    const { calls } = open([
      { functionName: 'Wrapper.__init__', record: object },
      { functionName: 'Wrapper.__init__', record: added({ process: 'pid4242#2' }, object) },
      { functionName: 'Wrapper.run', record: added({ process: 'pid4242#2' }, object) },
    ]);
    expect(calls.map((call) => [call.processUid, call.generation])).toEqual([
      ['pid4242', 1],
      ['pid4242#2', 1],
      ['pid4242#2', 1],
    ]);
  });

  it.each(['pid1', 'pid4242x', 'pid4242#', 'pid4242#0', 'a1b2c3', '', 7, '__proto__'])(
    'does not take %j for a process with its id',
    (process) => {
      const { calls } = open([{ functionName: 'f', record: added({ process }) }]);
      expect(processesOf(calls)).toEqual(['pid4242 1']);
    },
  );

  it('has the layouts and values that were added, and its own file for all other keys', () => {
    const dir = makeTempDir();
    const bytes = new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    mkdirSync(join(dir, 'blobs'));
    writeFileSync(join(dir, 'blobs', sha256), bytes);
    const session = open(
      [
        {
          functionName: 'f',
          inputs: { arg_0: tensorOf('float32', [9, 9, 9, 9], [2, 2]), arg_1: tensorOf('float32', [5, 6]) },
          record: added({
            tensors: { arg_0: { ...layout, data: { sha256 }, requiresGrad: true }, arg_2: layout },
          }),
        },
      ],
      dir,
    );
    const [call] = session.calls;
    if (call === undefined) throw new Error('no call');
    const dump = session.openDump(call);
    const tensor = dump.tensor('inputs', 'arg_0');
    expect(tensor).toMatchObject({ stride: [1, 2], offset: 2, device: 'cuda:1', requiresGrad: true });
    expect(tensor.storage).toBe(`${call.dump}#1`);
    expect(tensor.parameter).toBeUndefined();
    expect(Buffer.from(tensor.logicalBytes())).toEqual(Buffer.from(bytes));
    expect(Buffer.from(dump.tensor('inputs', 'arg_1').logicalBytes())).toEqual(
      Buffer.from(Float32Array.of(5, 6).buffer),
    );
    const without = dump.tensor('inputs', 'arg_2');
    expect(without.shape).toEqual([2, 2]);
    expect(() => without.logicalBytes()).toThrow('were not saved');
    dump.close();
  });

  it('does not read the file for a tensor whose added layout makes no sense', () => {
    const session = open([
      {
        functionName: 'f',
        inputs: { arg_0: tensorOf('float32', [1, 2]) },
        record: added({ tensors: { arg_0: { ...layout, shape: 'large' } } }),
      },
    ]);
    const [call] = session.calls;
    if (call === undefined) throw new Error('no call');
    const dump = session.openDump(call);
    expect(() => dump.tensor('inputs', 'arg_0')).toThrow('its shape is no list of counts');
    dump.close();
  });

  it('is no record where it names neither a recorder nor a process of fir', () => {
    const dir = makeTempDir();
    const session = open([{ functionName: 'f', record: { fir: { recorder: 7 } } as never }], dir);
    expect(session.unreadable.map(({ reason }) => reason)).toContain('not a record: no fir.process_uid');
  });

  it('says nothing under a name of its own', () => {
    const session = open([{ functionName: 'f', record: { foreign: { recorder: 'x' } } as never }]);
    const [call] = session.calls;
    if (call === undefined) throw new Error('no call');
    expect(session.readRecord(call).foreign).toBeUndefined();
  });

  it('gives a dump without a record to the last process of its id', () => {
    const dir = makeTempDir();
    const [, second] = writeSession(
      dir,
      [{ functionName: 'f', record: added({ process: 'pid4242#2' }) }, { functionName: 'g' }],
      { foreign: true, withoutIndex: true },
    );
    rmSync(join(second?.path ?? '', 'metadata.jsonl'));
    writeFileSync(join(second?.path ?? '', 'inputs.pt'), '');
    expect(processesOf(openSession(dir).calls)).toEqual(['pid4242#2 1', 'pid4242#2 2']);
  });
});
