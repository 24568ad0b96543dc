// Sessions as several recorders may leave them, from a list of what happened.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { tensorOf, type WrittenCall, writeSession } from '../../support/session-writer.js';

export interface GeneratedCall {
  recorder: 'fir' | 'foreign';
  /** 0 to 2: which of a recorder's processes; of foreign ones 1 and 2 share their id. */
  process: number;
  name: 'f' | 'g' | 'K.__init__' | 'K.run';
  object: number;
  ends: 'at once' | 'later' | 'never' | 'failed';
  /** How many other lines are written before its last one, where it ends later. */
  delay: number;
  isIndexed: boolean;
  value: number;
}

export interface GeneratedSession {
  calls: GeneratedCall[];
  segments: boolean;
}

const generatedCall: fc.Arbitrary<GeneratedCall> = fc.record({
  recorder: fc.constantFrom('fir', 'foreign'),
  process: fc.nat(2),
  name: fc.constantFrom('f', 'g', 'K.__init__', 'K.run'),
  object: fc.nat(1),
  ends: fc.constantFrom('at once', 'later', 'never', 'failed'),
  delay: fc.integer({ min: 1, max: 6 }),
  isIndexed: fc.boolean().map((isIndexed) => isIndexed),
  value: fc.nat(3),
});

export const generatedSession: fc.Arbitrary<GeneratedSession> = fc.record({
  calls: fc.array(generatedCall, { minLength: 1, maxLength: 14 }),
  segments: fc.boolean(),
});

/** Foreign processes of one id come one after the other: a call of an earlier one is given to the later one. */
function inOrder(calls: readonly GeneratedCall[]): GeneratedCall[] {
  let latest = 1;
  return calls.map((call) => {
    if (call.recorder !== 'foreign' || call.process === 0) return call;
    latest = Math.max(latest, call.process);
    return { ...call, process: latest };
  });
}

export function writeGenerated(dir: string, { calls, segments }: GeneratedSession): void {
  const sequences = new Map<string, number>();
  const written = inOrder(calls).map((call): [GeneratedCall, WrittenCall] => {
    const uid = `${call.recorder}${call.process}`;
    const sequence = (sequences.get(`${uid} ${call.name}`) ?? 0) + 1;
    sequences.set(`${uid} ${call.name}`, sequence);
    return [call, writtenCall(call, sequence)];
  });
  writeSession(
    dir,
    written.map(([call, one]) => (call.recorder === 'fir' ? one : foreign(one))),
  );
  rmSync(join(dir, 'processes', 'foreign.json'), { force: true });
  arrange(
    dir,
    written.map(([call]) => call),
    segments,
  );
}

function writtenCall(call: GeneratedCall, sequence: number): WrittenCall {
  const isObjects = call.name.startsWith('K.');
  const isFir = call.recorder === 'fir';
  const status = {
    'at once': 'completed',
    later: 'completed',
    never: 'inputs_saved',
    failed: 'failed',
  } as const;
  const outputs = { result: tensorOf('int16', [call.value, 7]) };
  return {
    functionName: call.name,
    // No process has such a one.
    pid: 5_000_000 + (isFir ? 10 + call.process : call.process === 0 ? 20 : 21),
    processUid: isFir ? `uid${call.process}` : 'foreign',
    status: isFir || call.ends !== 'failed' ? status[call.ends] : 'completed',
    inputs: {
      arg_0: { ...tensorOf('float32', [call.value, 1, 2, 3], [2, 2]), stride: [1, 2], storage: call.value },
    },
    ...(call.ends === 'at once' || call.ends === 'later' ? { outputs } : {}),
    ...(isObjects ? { selfId: 100 + call.object } : {}),
    ...(isObjects && !isFir
      ? { inputMetadata: { arg_0: { type: 'K', repr: `<k.K object at 0x${call.object}>` } } }
      : {}),
    ...(isObjects && isFir ? { fir: { self_class: 'K' } } : {}),
    record: { call_sequence: sequence },
  };
}

/** As a recorder that knows nothing of fir writes it. */
function foreign(call: WrittenCall): WrittenCall {
  return { ...call, record: { ...call.record, fir: undefined } as never };
}

/** Puts the lines of the index into the order in which they were written, or takes them out of it. */
function arrange(dir: string, calls: readonly GeneratedCall[], segments: boolean): void {
  const index = join(dir, 'session.jsonl');
  const lines = readFileSync(index, 'utf8').split('\n').filter(Boolean);
  const events: { at: number; line: string; file: string }[] = [];
  let next = 0;
  for (const [place, call] of calls.entries()) {
    const count = call.ends === 'never' ? 1 : 2;
    const own = lines.slice(next, next + count);
    next += count;
    if (!call.isIndexed) continue;
    const segment = call.recorder === 'fir' ? call.process : 9;
    const file = segments ? `session.s${segment}.${1 + Math.floor(place / 5)}.jsonl` : 'session.jsonl';
    const [first, last] = own;
    if (first !== undefined) events.push({ at: place, line: first, file });
    if (last !== undefined)
      events.push({ at: place + (call.ends === 'later' ? call.delay : 0) + 0.5, line: last, file });
  }
  events.sort((a, b) => a.at - b.at);
  rmSync(index);
  for (const file of new Set(events.map((event) => event.file))) {
    const own = events.filter((event) => event.file === file);
    writeFileSync(join(dir, file), own.map(({ line }) => `${line}\n`).join(''));
  }
}
