import { beforeAll, describe, expect, test } from 'vitest';
import {
  builtWorker,
  callOf,
  floats,
  objectRef,
  replay,
  temporaryFolder,
  UNDEFINED,
} from '../../support/replay-session.js';
import { type WrittenCall, writeSession } from '../../support/session-writer.js';

beforeAll(builtWorker);

function session(...calls: WrittenCall[]): string {
  const dir = temporaryFolder('state');
  writeSession(dir, calls);
  return dir;
}

const construct = (selfId: number, start = 0) =>
  callOf('Summer.__init__', { selfId, inputMetadata: { arg_0: start }, outputMetadata: { result: null } });
const add = (selfId: number, ...values: number[]) =>
  callOf('Summer.add', { selfId, inputs: { arg_0: floats(...values) }, outputMetadata: UNDEFINED });
const plan = (selfId: number, value: number) =>
  callOf('Summer.plan', { selfId, inputs: { arg_0: floats(value) }, outputMetadata: UNDEFINED });
const total = (selfId: number, result: number) =>
  callOf('Summer.total', { selfId, outputMetadata: { result } });
const die = (selfId: number) => callOf('Summer.die', { selfId, outputMetadata: UNDEFINED });

describe('calls on objects', () => {
  test('run on the object that the session made, in order', async () => {
    const dir = session(
      construct(1, 10),
      construct(2, 20),
      add(1, 1, 2),
      add(2, 5),
      total(1, 13),
      total(2, 25),
    );
    const { verdicts, summary } = await replay(dir);
    expect(verdicts).toEqual(['1 ran', '2 ran', '3 pass', '4 pass', '5 pass', '6 pass']);
    expect(summary.exitCode).toBe(0);
  });

  test('of processes with the same ids have their own objects, as do later generations of an id', async () => {
    const dir = session(
      { ...construct(1, 10), pid: 1 },
      { ...construct(1, 20), pid: 2 },
      { ...total(1, 10), pid: 1 },
      { ...construct(1, 30), pid: 1 },
      { ...total(1, 20), pid: 2 },
      { ...total(1, 30), pid: 1 },
    );
    const { verdicts } = await replay(dir);
    expect([...verdicts].sort()).toEqual(['1 ran', '2 ran', '3 pass', '4 ran', '5 pass', '6 pass']);
  });

  test('whose constructor is not in the session are skipped, and say so', async () => {
    const { results, summary } = await replay(session(add(7, 1), total(7, 1)));
    expect(results.map(({ verdict, reason }) => [verdict, reason])).toEqual([
      ['skipped', "its constructor was not recorded (Summer object 7); record it with --include 'Summer.*'"],
      ['skipped', "its constructor was not recorded (Summer object 7); record it with --include 'Summer.*'"],
    ]);
    expect(summary.exitCode).toBe(3);
  });

  test('whose constructor failed when it was recorded are skipped', async () => {
    const failed = { ...construct(1), status: 'failed' as const };
    const { results } = await replay(session(failed, total(1, 0)));
    expect(results[1]).toMatchObject({
      verdict: 'skipped',
      reason:
        'state incomplete: call 1 (Summer.__init__), which makes Summer object 1, failed when it was recorded',
    });
  });

  test('run with only what a selection needs, which is not reported', async () => {
    const dir = session(construct(1), construct(2), add(1, 1), add(2, 9), add(1, 2), total(1, 3), add(1, 4));
    const { verdicts, summary } = await replay(dir, {
      select: { ...NOTHING, call: [{ first: 6, last: 6 }] },
    });
    expect(verdicts).toEqual(['6 pass']);
    expect(summary).toMatchObject({ calls: 1, pass: 1, exitCode: 0 });
  });

  test('need only the last call of the methods that make their state', async () => {
    const dir = session(construct(1), plan(1, 5), die(1), plan(1, 7), total(1, 7));
    const stateful = { Summer: ['plan'] };
    const { verdicts } = await replay(dir, { stateful, select: { ...NOTHING, include: ['*.total'] } });
    expect(verdicts).toEqual(['5 pass']);
  });

  test('with an object as argument bring its history along', async () => {
    const dir = session(
      construct(1, 1),
      add(1, 2),
      callOf('addAll', {
        inputs: { arg_1: floats(3) },
        inputMetadata: { arg_0: objectRef(1, 'Summer') },
        outputMetadata: { result: 6 },
      }),
      total(1, 6),
    );
    expect((await replay(dir)).verdicts).toEqual(['1 ran', '2 pass', '3 pass', '4 pass']);
    const one = await replay(dir, { select: { ...NOTHING, call: [{ first: 3, last: 4 }] } });
    expect(one.verdicts).toEqual(['3 pass', '4 pass']);
  });

  test('may give the object itself back', async () => {
    const dir = session(
      callOf('Counter.__init__', { selfId: 1 }),
      callOf('Counter.itself', { selfId: 1, outputMetadata: { result: objectRef(1, 'Counter') } }),
      callOf('Counter.itself', { selfId: 1, outputMetadata: { result: objectRef(9, 'Counter') } }),
    );
    const { verdicts } = await replay(dir);
    expect(verdicts).toEqual(['1 ran', '2 pass', '3 mismatch']);
  });

  test('of factories bind what they return', async () => {
    const factory = callOf('Summer.of', {
      selfId: 4,
      kind: 'static',
      inputMetadata: { arg_0: 8 },
      outputMetadata: { result: objectRef(4, 'Summer') },
      fir: { constructs: true },
    });
    const { verdicts } = await replay(session(factory, total(4, 8)));
    expect(verdicts).toEqual(['1 ran', '2 pass']);
  });
});

describe('nested calls', () => {
  test('on an object of the outer call are run by it alone', async () => {
    const dir = session(
      construct(1, 1),
      callOf('addAll', {
        inputs: { arg_1: floats(3) },
        inputMetadata: { arg_0: objectRef(1, 'Summer') },
        outputMetadata: { result: 4 },
      }),
      inside(2, add(1, 3)),
      inside(2, total(1, 4)),
      total(1, 4),
    );
    const { results, summary } = await replay(dir);
    expect(results.map(({ verdict, reason }) => [verdict, reason])).toEqual([
      ['ran', undefined],
      ['pass', undefined],
      ['ran', 'inside call 2'],
      ['ran', 'inside call 2'],
      ['pass', undefined],
    ]);
    expect(summary.exitCode).toBe(0);
  });

  test('are skipped where the outer call does not get to its end', async () => {
    const outer = callOf('addAll', {
      inputMetadata: { arg_0: objectRef(1, 'Summer'), arg_1: null },
      outputMetadata: { result: 4 },
    });
    const dir = session(construct(1, 1), outer, inside(2, add(1, 3)), total(1, 4));
    const { results } = await replay(dir);
    expect(results.map(({ verdict }) => verdict)).toEqual(['ran', 'error', 'skipped', 'skipped']);
    expect(results[2]?.reason).toMatch(/^inside call 2, which failed \(TypeError: /);
    expect(results[3]?.reason).toMatch(/^state incomplete: call 2 failed \(TypeError: /);
  });

  test('that construct what the outer call gives back are run by it, and the object lives on', async () => {
    const made = {
      type: 'dict',
      length: 2,
      items: [
        { key: 'made', value: objectRef(3, 'Summer') },
        { key: 'at', value: 1 },
      ],
    };
    const dir = session(
      callOf('makeSummer', { inputMetadata: { arg_0: 6 }, outputMetadata: { result: made } }),
      inside(1, construct(3, 6)),
      add(3, 1),
      total(3, 7),
    );
    expect((await replay(dir)).verdicts).toEqual(['1 pass', '2 ran', '3 pass', '4 pass']);
  });

  test('on an object that the outer call only reaches by itself run on their own', async () => {
    const dir = session(
      construct(1, 100),
      callOf('addToShared', { inputs: { arg_0: floats(1) }, outputMetadata: { result: 101 } }),
      inside(2, add(1, 1)),
      inside(2, total(1, 101)),
    );
    expect((await replay(dir)).verdicts).toEqual(['1 ran', '2 pass', '3 pass', '4 pass']);
  });

  test('that may have run inside a pending call of the same object are skipped', async () => {
    const pending = { ...add(1, 1), durationUs: 60_000_000 };
    const unsure = { ...total(1, 1), fir: { ...total(1, 1).fir, parent: 'unknown' as const } };
    const { results } = await replay(session(construct(1), pending, unsure, total(1, 1)));
    expect(results.map(({ verdict }) => verdict)).toEqual(['ran', 'pass', 'skipped', 'skipped']);
    expect(results[2]?.reason).toContain('it may have run inside call 2');
    expect(results[3]?.reason).toContain('state incomplete: call 3 was not run');
  });
});

describe('a call that ends the worker', () => {
  test('is left out when state is rebuilt, and what needs it is skipped', async () => {
    const dir = session(
      construct(1),
      add(1, 1),
      construct(2, 5),
      die(1),
      total(1, 1),
      add(2, 2),
      total(2, 7),
    );
    const { results, verdicts } = await replay(dir);
    expect(verdicts).toEqual(['1 ran', '2 pass', '3 ran', '4 crashed', '5 skipped', '6 pass', '7 pass']);
    expect(results[4]?.reason).toBe('state incomplete: call 4 crashed (SIGSEGV)');
  });

  test('does not stand in the way where the state does not need it', async () => {
    const dir = session(construct(1), plan(1, 5), die(1), total(1, 5));
    const { verdicts } = await replay(dir, { stateful: { Summer: ['plan'] } });
    expect(verdicts).toEqual(['1 ran', '2 pass', '3 crashed', '4 pass']);
  });

  test('only while state is rebuilt makes what needs it incomplete', async () => {
    // The module counts its loads in a file: the second worker's call crashes where the first one's did not.
    const flag = `${temporaryFolder('flag')}/loads`;
    const crashes = (name: string) =>
      callOf(`Fickle.${name}`, {
        module: 'fickle.mjs',
        selfId: 1,
        inputMetadata: name === '__init__' ? { arg_0: flag } : {},
        outputMetadata: { result: name === '__init__' ? null : 1 },
      });
    const dir = session(crashes('__init__'), crashes('step'), die2(), crashes('step'));
    const { results, verdicts } = await replay(dir);
    expect(verdicts).toEqual(['1 ran', '2 pass', '3 crashed', '4 skipped']);
    expect(results[3]?.reason).toBe('state incomplete: call 2 crashed (SIGSEGV) while state was rebuilt');
  });
});

describe('a mismatch on an object', () => {
  test('is repeated from the same state, and the object goes on as it was', async () => {
    const counter = (name: string, result: number) =>
      callOf(`Counter.${name}`, { selfId: 1, outputMetadata: { result } });
    const dir = session(
      callOf('Counter.__init__', { selfId: 1 }),
      counter('next', 1),
      counter('wrongNext', 2),
      counter('next', 3),
      counter('noisyNext', 4),
      counter('next', 5),
    );
    const { verdicts, results } = await replay(dir);
    expect(verdicts).toEqual(['1 ran', '2 pass', '3 mismatch', '4 pass', '5 unstable', '6 pass']);
    expect(results[2]?.notes).toBeUndefined();
  });
});

describe('--fail-fast', () => {
  test('leaves the rest out, and counts it', async () => {
    const { results, summary } = await replay(session(construct(1), total(1, 1), total(1, 0)), {
      failFast: true,
    });
    expect(results.map(({ verdict }) => verdict)).toEqual(['ran', 'mismatch', 'skipped']);
    expect(results[2]?.reason).toContain('--fail-fast');
    expect(summary).toMatchObject({ calls: 3, skipped: 1, exitCode: 1 });
  });
});

const NOTHING = { include: [], exclude: [], pid: [] };

function inside(parent: number, call: WrittenCall): WrittenCall {
  return { ...call, fir: { ...call.fir, parent } };
}

function die2(): WrittenCall {
  return callOf('segfault', { module: 'hazards.mjs', outputMetadata: UNDEFINED });
}
