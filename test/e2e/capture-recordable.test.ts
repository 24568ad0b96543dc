import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  nodeUnderTest,
  type ProcessResult,
  repository,
  runFir,
  runProcess,
  temporaryDirectory,
} from '../support/fir.js';
import {
  type CapturedCall,
  type CapturedSession,
  callNamed,
  captureProgram,
  makeProject,
  program,
  readCaptured,
  sharedDirectory,
} from './captured.js';

/** Node can tell cheaply what an asynchronous call ran inside of. */
const knowsAsyncParents = Number(process.versions.node.split('.')[0]) >= 24;

function callsNamed(session: CapturedSession, name: string): CapturedCall[] {
  return session.calls.filter((call) => call.name === name);
}

function outputOf(call: CapturedCall): unknown {
  return call.record.output_metadata['result'];
}

describe('recordable', () => {
  it('gives back the very same function and class where nothing is recorded', async () => {
    const source = `
      import { recordable } from 'fir-recorder';
      const fn = () => 1;
      class Class {}
      console.log(recordable(fn) === fn, recordable.class(Class) === Class, recordable(Class) === Class);
      console.log(Object.getOwnPropertySymbols(globalThis).some((symbol) => String(symbol).includes('fir.recorder')));`;
    for (const env of [{}, { FIR_LOGLEVEL: '0' }, { FIR_LOGLEVEL: '' }]) {
      const { stdout } = await runProcess(nodeUnderTest, ['--input-type=module', '-e', source], {
        cwd: repository,
        env,
      });
      expect(stdout).toBe('true true true\nfalse\n');
    }
  });
});

describe('recorded functions', () => {
  let bare: ProcessResult;
  let captured: ProcessResult;
  let session: CapturedSession;
  const directory = join(sharedDirectory(), 'session');

  beforeAll(async () => {
    bare = await runProcess(nodeUnderTest, [program('use-recorded-functions.mjs')]);
    captured = await captureProgram(directory, ['use-recorded-functions.mjs']);
    session = readCaptured(directory);
  });

  it('keep their name, length, properties, this, promises and results', () => {
    expect(captured).toMatchObject({ code: 0, stdout: bare.stdout });
    expect(bare.stdout).toContain('["look","add",1,7,"help",["version","helper"]]\n');
    expect(bare.stdout).toContain('["cancel","cancelled",true,"value",true]\n');
  });

  it('are all recorded, with arguments and results', () => {
    const unfinished = session.calls.filter((call) => call.status !== 'completed');
    expect(unfinished.map((call) => call.name)).toEqual(['lonely']);
    expect(captured.stderr).toContain('fir could not record a call (follow: no other)');
    const sums = callsNamed(session, 'add').map((call) => [
      call.record.input_metadata['arg_0'],
      call.record.input_metadata['arg_1'],
      outputOf(call),
    ]);
    expect(sums.slice(0, 2)).toEqual([
      [1, 2, 3],
      [1, undefined, 2],
    ]);
    expect(callNamed(session, 'scale')).toMatchObject({
      inputs: { arg_0: [1, 2] },
      outputs: { result: [3, 6] },
    });
  });

  it('have dumps of their own when they overlap, and both orders', () => {
    const overlapping = callsNamed(session, 'later');
    expect(new Set(overlapping.map((call) => call.path)).size).toBe(3);
    expect(overlapping.map(outputOf)).toEqual(['slow', 'quick', 'middle']);
    const byEnd = overlapping.toSorted((a, b) => Number(a.fir.end_sequence) - Number(b.fir.end_sequence));
    expect(byEnd.map(outputOf)).toEqual(['quick', 'middle', 'slow']);
    const starts = session.calls.map((call) => call.fir.sequence);
    const ends = session.calls.flatMap((call) => call.fir.end_sequence ?? []);
    expect(starts).toEqual(starts.map((_, index) => index + 1));
    expect(ends.toSorted((a, b) => a - b)).toEqual(ends.map((_, index) => index + 1));
  });

  it('know what they ran inside of, and say so where they do not', () => {
    const outer = callNamed(session, 'outer');
    const [first, second] = callsNamed(session, 'add').filter(
      (call) => call.fir.sequence > outer.fir.sequence,
    );
    expect(first?.fir.parent).toBe(outer.fir.sequence);
    expect(second?.fir.parent).toBe(knowsAsyncParents ? outer.fir.sequence : 'unknown');
    const nested = callsNamed(session, 'nested');
    expect(nested).toHaveLength(4 + 41);
    expect(nested.slice(0, 4).map((call) => call.fir.parent)).toEqual([
      null,
      ...nested.slice(0, 3).map((call) => call.fir.sequence),
    ]);
  });

  it('that have ended are no parents of what they set going', () => {
    const timer = callNamed(session, 'startTimer');
    const later = callsNamed(session, 'add').find((call) => call.fir.sequence > timer.fir.sequence);
    expect(later?.fir.parent).toBe(null);
  });

  it('that read this of an object can not be replayed, and say why', () => {
    const reasons = callsNamed(session, 'add').map((call) => call.fir.not_replayable);
    const reason = ['it reads `this`, which was an object that is not recorded'];
    expect(reasons.slice(0, 4)).toEqual([undefined, undefined, reason, reason]);
  });

  it('that are generators pass through', () => {
    expect(session.calls.map((call) => call.name)).not.toContain('counting');
  });

  it('can be found again where they are exported, and say why where they are not', () => {
    const [header] = session.processes;
    const module = 'test/fixtures/programs/recorded-functions.mjs';
    expect(header?.functions).toMatchObject({
      add: { kind: 'module', root: repository.replace(/\/$/, ''), module, export: 'original' },
      later: { kind: 'module', module, export: 'later' },
      default: { kind: 'module', module, export: 'default' },
      scale: { kind: 'module', module: 'test/fixtures/programs/scale.cjs', export: 'scale' },
      multiply: { kind: 'unresolved', reason: 'not exported (closure or private)' },
      local: { kind: 'unresolved', reason: 'importing it would run the program' },
    });
    expect(callNamed(session, 'outer').fir.resolve).toMatchObject({ export: 'outer' });
    expect(callNamed(session, 'local').fir.resolve).toMatchObject({ kind: 'unresolved' });
    expect(captured.stderr).toContain("fir: 2 functions can't be replayed:\n");
    expect(captured.stderr).toContain('multiply: not exported (closure or private); export it from a module');
  });
});

describe('what calls ran inside of, on every Node', () => {
  const directory = join(sharedDirectory(), 'session');

  it('is known across awaits with --async-parents', async () => {
    await captureProgram(directory, ['use-recorded-functions.mjs'], { flags: ['--async-parents'] });
    const session = readCaptured(directory);
    const outer = callNamed(session, 'outer');
    const inside = session.calls.filter((call) => call.fir.parent === outer.fir.sequence);
    expect(inside.map(outputOf)).toEqual([11, 21]);
    expect(session.calls.filter((call) => call.fir.parent === 'unknown')).toEqual([]);
    const timer = callNamed(session, 'startTimer');
    expect(session.calls.filter((call) => call.fir.parent === timer.fir.sequence)).toEqual([]);
  });
});

describe('recorded classes', () => {
  let bare: ProcessResult;
  let captured: ProcessResult;
  let session: CapturedSession;
  const directory = join(sharedDirectory(), 'session');

  beforeAll(async () => {
    bare = await runProcess(nodeUnderTest, [program('use-recorded-classes.mjs')]);
    captured = await captureProgram(directory, ['use-recorded-classes.mjs']);
    session = readCaptured(directory);
  });

  /** Constructors and factories: what they are called, the class and the number of what they made. */
  function makers(): unknown[] {
    return session.calls
      .filter((call) => call.fir.constructs)
      .map((call) => [call.name, call.fir.self_class, call.record.self_id]);
  }

  it('work as they do without fir', () => {
    expect(captured).toMatchObject({ code: 0, stdout: bare.stdout });
    expect(bare.stdout).toContain('["class","Plan",1,3,["static block"],true,1,"function"]\n');
  });

  it('record constructors and factories with the objects that they made', () => {
    expect(makers()).toEqual([
      ['Plan.__init__', 'Plan', 1],
      ['Plan.create', 'Plan', 2],
      ['Recorded.__init__', 'Recorded', 3],
      ['Recorded.create', 'Recorded', 4],
      ['Unrecorded.__init__', 'Unrecorded', 5],
      ['Unrecorded.__init__', 'Unrecorded', 6],
      ['Tree.__init__', 'Tree', 7],
      ['Tree.__init__', 'Tree', 8],
      ['Tree.__init__', 'Tree', 9],
      ['Eager.__init__', 'Eager', 10],
      ['Eager.first', 'Eager', 11],
      ['Eager.load', 'Eager', 12],
      ['Eager.load', 'Eager', 13],
    ]);
    expect(callsNamed(session, 'Plan.__init__')[0]).toMatchObject({ inputs: { arg_0: [10, 20] } });
  });

  it('record methods with their objects, static methods without one', () => {
    const runs = callsNamed(session, 'Plan.run').map((call) => [call.record.self_id, outputOf(call)]);
    expect(runs.slice(0, 2)).toEqual([
      [1, 51],
      [1, 55],
    ]);
    expect(callNamed(session, 'Plan.setBias')).toMatchObject({
      record: { output_metadata: { result: { type: 'js.object_ref', self_id: 1, class: 'Plan' } } },
    });
    expect(callsNamed(session, 'Plan.made').map((call) => [call.fir.kind, call.record.self_id])).toEqual([
      ['static', undefined],
      ['static', undefined],
    ]);
    expect(session.calls.map((call) => call.name)).not.toContain('Plan.steps');
  });

  it('record a method that calls the one of its base class as two calls, one inside the other', () => {
    const own = callNamed(session, 'Recorded.run');
    const inherited = session.calls.find((call) => call.fir.parent === own.fir.sequence);
    expect(inherited).toMatchObject({ name: 'Plan.run', record: { self_id: 3 } });
    expect([outputOf(own), inherited && outputOf(inherited)]).toEqual([600, 6]);
    expect(callNamed(session, 'Recorded.own').record.self_id).toBe(3);
  });

  it('record objects of their own class that a constructor makes', () => {
    const [outermost, middle, innermost] = callsNamed(session, 'Tree.__init__');
    expect(outermost?.fir.parent).toBe(null);
    expect(middle?.fir.parent).toBe(outermost?.fir.sequence);
    expect(innermost?.fir.parent).toBe(middle?.fir.sequence);
    const counts = callsNamed(session, 'Tree.count');
    expect(counts.map((call) => call.record.self_id)).toEqual([7, 8, 9, 8, 9]);
    expect(counts.every((call) => call.fir.not_replayable === undefined)).toBe(true);
  });

  it('know an object before its constructor or factory has ended, where methods are called on it', () => {
    const calls = session.calls.filter((call) => /^Eager\.(reset|prepare)$/.test(call.name));
    expect(calls.map((call) => [call.name, call.record.self_id])).toEqual([
      ['Eager.reset', 10],
      ['Eager.reset', 11],
      ['Eager.reset', 11],
      ['Eager.reset', 12],
      ['Eager.reset', 13],
      ['Eager.prepare', 12],
      ['Eager.prepare', 13],
      ['Eager.reset', 12],
      ['Eager.reset', 13],
      ['Eager.reset', 13],
    ]);
    expect(calls.every((call) => call.fir.not_replayable === undefined)).toBe(true);
  });

  it('say why an object can not be made again', () => {
    const [unrecorded] = callsNamed(session, 'Unrecorded.__init__');
    expect(unrecorded?.fir.resolve).toMatchObject({
      kind: 'unresolved',
      reason: 'Unrecorded extends the recorded Plan and is not recorded itself',
      hint: 'record Unrecorded too: recordable.class(Unrecorded)',
    });
    const foreign = callsNamed(session, 'Plan.run').find((call) => call.status === 'failed');
    expect(foreign?.fir.not_replayable).toEqual(['its object, a Plan, was not constructed while recording']);
  });

  it('reach private static names through this', async () => {
    const project = makeProject(temporaryDirectory(), {
      'app.mjs': `
        import { recordable } from 'fir-recorder';
        class Counter {
          static #count = 40;
          static #step() { return 1; }
          static next() { return (this.#count += this.#step()); }
          static get last() { return this.#count; }
          static set last(count) { this.#count = count; }
        }
        const Recorded = recordable.class(Counter);
        Recorded.last = 41;
        console.log(Recorded.next(), Recorded.last, Counter.next());`,
    });
    const flags = ['capture', '-q', '-o', 'session', '--', nodeUnderTest, 'app.mjs'];
    const result = await runFir(flags, { cwd: project });
    expect(result).toMatchObject({ code: 0, stdout: '42 42 43\n', stderr: '' });
    const { calls } = readCaptured(join(project, 'session'));
    expect(calls.map(outputOf)).toEqual([42, 43]);
  });

  it('that are frozen stay as they are, and that is said', () => {
    expect(session.calls.map((call) => call.name)).not.toContain('Frozen.run');
    expect(captured.stderr).toContain('recordable: class Frozen is frozen');
  });
});
