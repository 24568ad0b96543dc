import { appendFileSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { nodeUnderTest, repository, runProcess, temporaryDirectory } from '../support/fir.js';
import {
  type CapturedCall,
  type CapturedSession,
  captureProgram,
  indexLines,
  program,
  readCaptured,
  sharedDirectory,
} from './captured.js';

const KILLS = 30;

/** As the fixture computes it. */
function valuesOf(number: number, length: number): number[] {
  return Array.from({ length }, (_, index) => number * 2 + (index % 7));
}

function statuses(session: CapturedSession): string[] {
  return session.calls.map((call) => call.status);
}

describe('a program that ends abruptly', () => {
  it.each([
    ['exit', 0],
    ['throw', 1],
    ['SIGKILL', null],
  ])('right after a call loses nothing (%s)', async (how, code) => {
    const directory = join(temporaryDirectory(), 'session');
    const result = await captureProgram(directory, ['end-abruptly.cjs', how]);
    expect(result.code).toBe(code);
    const session = readCaptured(directory);
    expect(statuses(session)).toEqual(['completed', 'completed', 'completed']);
    expect(session.calls.map((call) => call.outputs['result'])).toEqual([1, 2, 3].map((n) => valuesOf(n, 4)));
    expect(result.stderr).toContain('3 calls recorded (3 completed, 0 failed, 0 unfinished)');
  });

  it.each([
    ['inside:SIGKILL', 'SIGKILL'],
    ['inside:abort', 'SIGABRT'],
    ['inside:SIGSEGV', 'SIGSEGV'],
  ])('inside a call keeps its inputs (%s)', async (how, signal) => {
    const directory = join(temporaryDirectory(), 'session');
    const result = await captureProgram(directory, ['end-abruptly.cjs', how]);
    expect(result.signal).toBe(signal);
    const session = readCaptured(directory);
    expect(statuses(session)).toEqual(['completed', 'completed', 'inputs_saved']);
    expect(session.calls[2]).toMatchObject({
      name: 'lastStep',
      inputs: { arg_0: [3, 3, 3, 3] },
      outputs: {},
    });
    expect(session.unreadable).toBe(0);
    expect(result.stderr).toContain('3 calls recorded (2 completed, 0 failed, 1 unfinished)');
  });
});

describe(`a program that is killed at ${KILLS} moments`, () => {
  interface Killed {
    completed: number;
    /** Calls that had not ended, those that were about to begin included. */
    unfinished: number;
    /** As the program itself counted. */
    lastDone: number;
    /** Calls whose values are not what they should be. */
    wrong: string[];
    lines: string[];
  }
  const killed: Killed[] = [];
  const directory = sharedDirectory();

  async function killAfter(ms: number, index: number): Promise<Killed> {
    const dumps = join(directory, `session-${index}`);
    const done = join(directory, `done-${index}`);
    const preload = join(repository, 'dist', 'preload', 'register.cjs');
    const { signal } = await runProcess(
      nodeUnderTest,
      ['--require', preload, program('step-until-killed.cjs'), done, String(ms / 1000)],
      { env: { FIR_LOGLEVEL: '10', FIR_DUMP_DIR: dumps } },
    );
    expect(signal).toBe('SIGKILL');
    const { calls, withoutRecord } = readCaptured(dumps);
    const lines = indexLines(dumps);
    rmSync(dumps, { recursive: true });
    const completed = calls.filter((call) => call.status === 'completed').length;
    const count = readFileSync(done);
    return {
      completed,
      unfinished: calls.length - completed + withoutRecord,
      lastDone: count.length === 0 ? 0 : count.readUInt32LE(0),
      wrong: calls.filter((call) => !isRight(call)).map((call) => call.path),
      lines,
    };
  }

  beforeAll(async () => {
    const delays = Array.from({ length: KILLS }, () => 1 + Math.random() * 30);
    console.log(`kills after ${delays.map((ms) => ms.toFixed(1)).join(', ')} ms`);
    for (const [index, ms] of delays.entries()) killed.push(await killAfter(ms, index));
  });

  it('keeps every call that had ended, and has at most one that had not', () => {
    for (const { completed, unfinished, lastDone } of killed) {
      expect(completed).toBeGreaterThanOrEqual(lastDone);
      expect(completed + unfinished).toBeLessThanOrEqual(lastDone + 2);
      expect(unfinished).toBeLessThanOrEqual(1);
    }
    expect(killed.reduce((sum, { lastDone }) => sum + lastDone, 0)).toBeGreaterThan(KILLS);
  });

  it('keeps inputs and outputs whole and right', () => {
    expect(killed.flatMap(({ wrong }) => wrong)).toEqual([]);
  });

  it('leaves an index whose lines can be read, all but perhaps the last', () => {
    for (const { lines } of killed) {
      for (const line of lines) expect(() => JSON.parse(line)).not.toThrow();
    }
  });
});

function isRight(call: CapturedCall): boolean {
  const number = Number(call.record.input_metadata['arg_0']);
  const length = number % 16 === 0 ? 1 << 14 : 8;
  const input = call.inputs['arg_1'];
  if (input?.length !== length || input.some((value) => value !== number)) return false;
  const expected = valuesOf(number, length);
  const output = call.outputs['result'] ?? [];
  return (
    call.status !== 'completed' ||
    (output.length === length && output.every((value, at) => value === expected[at]))
  );
}

describe('a session whose index ends in the middle of a record', () => {
  it('loses nothing when the next capture adds to it', async () => {
    const directory = join(temporaryDirectory(), 'session');
    await captureProgram(directory, ['end-abruptly.cjs', 'exit']);
    const torn = Buffer.from('{"function_name":"step","note":"ü').subarray(0, -1);
    appendFileSync(join(directory, 'session.jsonl'), torn);
    const before = readCaptured(directory);
    await captureProgram(directory, ['end-abruptly.cjs', 'exit']);
    const after = readCaptured(directory);
    expect([before.calls.length, before.unreadable]).toEqual([3, 1]);
    expect([after.calls.length, after.unreadable]).toEqual([6, 1]);
    expect(statuses(after).every((status) => status === 'completed')).toBe(true);
  });

  it('takes a last record that only lacks its newline for a record', async () => {
    const directory = join(temporaryDirectory(), 'session');
    await captureProgram(directory, ['end-abruptly.cjs', 'exit']);
    const index = join(directory, 'session.jsonl');
    const text = readFileSync(index, 'utf8');
    rmSync(index);
    appendFileSync(index, text.slice(0, -1));
    await captureProgram(directory, ['end-abruptly.cjs', 'exit']);
    const session = readCaptured(directory);
    expect([session.calls.length, session.unreadable]).toEqual([6, 0]);
  });
});

describe('eight processes that write into one session at once', () => {
  const directory = join(sharedDirectory(), 'session');

  it('lose no record and glue none together', async () => {
    const result = await captureProgram(directory, ['write-together.cjs']);
    expect(result.stderr).toContain('1600 calls recorded (1600 completed, 0 failed, 0 unfinished)');
    const session = readCaptured(directory);
    expect([session.calls.length, session.unreadable]).toEqual([1600, 0]);
    const lines = indexLines(directory).map((line) => JSON.parse(line));
    expect(lines).toHaveLength(3200);
    const places = session.calls.map((call) => `${call.processUid} ${call.fir.sequence}`);
    expect(new Set(places).size).toBe(1600);
    for (const { record } of session.calls) {
      const [text, writer, number] = [0, 1, 2].map((index) => record.input_metadata[`arg_${index}`]);
      expect(String(text)).toBe(String(writer).repeat(16 * 1024));
      expect(record.output_metadata['result']).toBe(16 * 1024 + Number(writer) * 1000 + Number(number));
    }
    const owners = new Map(session.calls.map((call) => [call.processUid, call.record.process_id]));
    expect(new Set(owners.values()).size).toBe(8);
  });
});
