import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/core/model/json.js';
import { type CallEntry, openSession } from '../../../src/core/session/index.js';
import { writeSession } from '../../support/session-writer.js';
import { makeTempDir } from '../../support/temp-dir.js';

function objectAt(type: string, address: number, prefix = 'kernels.'): JsonObject {
  return { type, repr: `<${prefix}${type} object at 0x${address.toString(16)}>` };
}

function foreignCalls(calls: Parameters<typeof writeSession>[1]): readonly CallEntry[] {
  const dir = makeTempDir();
  writeSession(dir, calls, { foreign: true });
  return openSession(dir).calls;
}

/** An index in which each call's records stand where the list has its letter: `a` its start, `A` its return. */
function nested(events: string, names: Record<string, object> = {}): readonly CallEntry[] {
  const dir = makeTempDir();
  const sequences = new Map<string, number>();
  for (const event of events) {
    const name = event.toLowerCase();
    const { function_name: functionName = name, ...fields }: { function_name?: string } = names[name] ?? {};
    const isStart = event === name;
    const sequence = (sequences.get(functionName) ?? 0) + (isStart ? 1 : 0);
    sequences.set(functionName, sequence);
    const own = [...events.toLowerCase()].filter(
      (other, index) =>
        index <= events.indexOf(name) &&
        events[index] === other &&
        ((names[other] as { function_name?: string } | undefined)?.function_name ?? other) === functionName,
    ).length;
    mkdirSync(join(dir, name), { recursive: true });
    const record = {
      function_name: functionName,
      module: 'kernels',
      call_sequence: own,
      process_id: 7,
      input_metadata: {},
      execution_status: isStart ? 'inputs_saved' : 'completed',
      dump_dir: `somewhere/${name}`,
      ...fields,
    };
    appendFileSync(join(dir, 'session.jsonl'), `${JSON.stringify(record)}\n`);
    appendFileSync(join(dir, name, 'metadata.jsonl'), `${JSON.stringify(record)}\n`);
  }
  return openSession(dir).calls;
}

function parentsOf(calls: readonly CallEntry[]): Record<string, string> {
  const bySequence = new Map(calls.map((call) => [call.sequence, call.dump]));
  return Object.fromEntries(
    calls.map((call) => [
      call.dump,
      typeof call.parent === 'number' ? (bySequence.get(call.parent) ?? '') : '-',
    ]),
  );
}

describe('objects of classes that FlashInfer gives no id', () => {
  it('are known by the address in the text of the first argument', () => {
    const planner = objectAt('DemoPlanner', 0x7f3a5819f950);
    const [made, used, free] = foreignCalls([
      { functionName: '__init__', inputMetadata: { arg_0: planner } },
      { functionName: 'schedule', inputMetadata: { arg_0: planner } },
      { functionName: 'norm', inputMetadata: { arg_1: planner } },
    ]);
    const self = { selfId: 0x7f3a5819f950, selfClass: 'DemoPlanner', generation: 1 };
    expect(made).toMatchObject({ ...self, kind: 'constructor', constructs: true });
    expect(used).toMatchObject({ ...self, kind: 'method', constructs: false });
    expect(free).toMatchObject({ selfId: undefined, kind: 'function' });
  });

  it('have an address of 64 bits, every digit of it', () => {
    const id = 0xffff_8123_4567_89abn;
    const [call] = foreignCalls([
      {
        functionName: 'schedule',
        inputMetadata: { arg_0: { type: 'P', repr: `<m.P object at 0x${id.toString(16)}>` } },
      },
    ]);
    expect(call?.selfId).toBe(id);
  });

  it.each([
    ['another class', { type: 'Other', repr: '<kernels.DemoPlanner object at 0x10>' }],
    ['a text of its own', { type: 'DemoPlanner', repr: 'DemoPlanner(4)' }],
    ['no text', { type: 'DemoPlanner' }],
    ['a text around it', { type: 'DemoPlanner', repr: 'x<kernels.DemoPlanner object at 0x10>' }],
    ['a function', { type: 'function', repr: '<function f at 0x10>' }],
    ['no object', 3],
  ])('are not known by %s', (_, first) => {
    const [call] = foreignCalls([{ functionName: 'schedule', inputMetadata: { arg_0: first } }]);
    expect(call).toMatchObject({ selfId: undefined, selfClass: undefined, kind: 'function' });
  });

  it('are told apart by class where one address came again, and counted where the class did', () => {
    const init = (type: string) => ({
      functionName: '__init__',
      inputMetadata: { arg_0: objectAt(type, 16) },
    });
    const use = (type: string) => ({ functionName: 'use', inputMetadata: { arg_0: objectAt(type, 16) } });
    const calls = foreignCalls([
      init('A'),
      use('A'),
      init('B'),
      use('B'),
      use('A'),
      init('A'),
      use('A'),
      use('C'),
    ]);
    expect(calls.map((call) => call.generation)).toEqual([1, 1, 1, 1, 1, 2, 2, 0]);
  });

  it('keep the id that the record gives', () => {
    const [call] = foreignCalls([
      { functionName: 'XWrapper.run', selfId: 5, inputMetadata: { arg_0: objectAt('XWrapper', 16) } },
    ]);
    expect(call).toMatchObject({ selfId: 5, selfClass: 'XWrapper', kind: 'method' });
  });
});

describe('the call that a foreign call ran inside', () => {
  it('is the innermost one whose records stand around its own', () => {
    expect(parentsOf(nested('abcCBdDAeE'))).toEqual({ a: '-', b: 'a', c: 'b', d: 'a', e: '-' });
  });

  it('must have returned, and so must the inner one', () => {
    expect(parentsOf(nested('abBcC'))).toEqual({ a: '-', b: '-', c: '-' });
    expect(parentsOf(nested('abcCA'))).toEqual({ a: '-', b: '-', c: 'a' });
  });

  it('is none of those that only overlap', () => {
    expect(parentsOf(nested('abAcBC'))).toEqual({ a: '-', b: '-', c: '-' });
  });

  it('is of the same process', () => {
    expect(parentsOf(nested('abBA', { b: { process_id: 8 } }))).toEqual({ a: '-', b: '-' });
  });

  it('is none that was captured into a graph, whose records are written when it runs', () => {
    expect(parentsOf(nested('abBA', { a: { graph_capture: true } }))).toEqual({ a: '-', b: '-' });
    expect(parentsOf(nested('abBA', { b: { graph_capture: true } }))).toEqual({ a: '-', b: '-' });
  });

  it('is a subclass’s constructor around that of its base, which makes no object of its own', () => {
    const self = { self_id: 9, function_name: 'XWrapper.__init__' };
    const calls = nested('abBArRcC', {
      a: self,
      b: self,
      r: { self_id: 9, function_name: 'XWrapper.run' },
      c: self,
    });
    expect(calls.map((call) => call.generation)).toEqual([1, 1, 1, 2]);
    expect(parentsOf(calls)['b']).toBe('a');
  });

  it('is found in a log of overlapping calls without looking at all of them for each', () => {
    const dir = makeTempDir();
    const calls = 20_000;
    const line = (call: number, status: string) =>
      `${JSON.stringify({ function_name: 'f', call_sequence: call, process_id: 1, execution_status: status, dump_dir: `d${call}` })}\n`;
    const starts = Array.from({ length: calls }, (_, call) => line(call + 1, 'inputs_saved'));
    const ends = Array.from({ length: calls }, (_, call) => line(call + 1, 'completed'));
    for (const lines of [starts, ends]) appendFileSync(join(dir, 'session.jsonl'), lines.join(''));
    expect(openSession(dir).calls.every((call) => call.parent === 'unknown')).toBe(true);
  });
});
