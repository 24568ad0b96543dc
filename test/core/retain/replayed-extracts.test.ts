import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { filterSession } from '../../../src/core/retain/index.js';
import { parseCallRanges } from '../../../src/core/select/index.js';
import { callOf, floats, objectRef, replay, UNDEFINED } from '../../support/replay-session.js';
import { type WrittenCall, writeSession } from '../../support/session-writer.js';

const scratch = mkdtempSync(join(tmpdir(), 'fir-test-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

let directories = 0;
function fresh(): string {
  directories += 1;
  return join(scratch, String(directories));
}

const operation = fc.record({
  kind: fc.constantFrom('make', 'add', 'add', 'total', 'total', 'function', 'wrong'),
  object: fc.nat(1),
  value: fc.integer({ min: 1, max: 9 }),
  pid: fc.constantFrom(1, 1, 1, 2),
});
type Operation = typeof operation extends fc.Arbitrary<infer Value> ? Value : never;

/** What a program that sums numbers up in objects, some of them one after the other under one id, would have left. */
function recorded(operations: readonly Operation[]): WrittenCall[] {
  const sums = new Map<string, number>();
  return operations.map(({ kind, object, value, pid }): WrittenCall => {
    const key = `${pid} ${object}`;
    const selfId = object + 1;
    const sum = sums.get(key) ?? 0;
    if (kind === 'make') {
      sums.set(key, value);
      const made = { inputMetadata: { arg_0: value }, outputMetadata: { result: null } };
      return callOf('Summer.__init__', { pid, selfId, ...made });
    }
    if (kind === 'total') return callOf('Summer.total', { pid, selfId, outputMetadata: { result: sum } });
    if (kind === 'wrong') return callOf('Summer.total', { pid, selfId, outputMetadata: { result: sum + 1 } });
    sums.set(key, sum + value);
    if (kind === 'add') {
      return callOf('Summer.add', {
        pid,
        selfId,
        inputs: { arg_0: floats(value) },
        outputMetadata: UNDEFINED,
      });
    }
    return callOf('addAll', {
      pid,
      inputs: { arg_1: floats(value) },
      inputMetadata: { arg_0: objectRef(selfId, 'Summer') },
      outputMetadata: { result: sum + value },
    });
  });
}

const MADE: readonly Operation[] = [0, 1].map((object) => ({ kind: 'make', object, value: 5, pid: 1 }));

/** Verdicts by dump. */
async function verdictsOf(path: string): Promise<Record<string, string>> {
  const { results } = await replay(path);
  return Object.fromEntries(results.map(({ dump, verdict }) => [dump, verdict]));
}

test('any part of any session replays with the verdicts that it has in the whole', async () => {
  const session = fc.array(operation, { minLength: 4, maxLength: 18 }).map((more) => [...MADE, ...more]);
  const picks = fc.array(fc.nat(19), { minLength: 1, maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(session, picks, async (operations, picked) => {
      const path = fresh();
      const destination = fresh();
      writeSession(path, recorded(operations));
      const numbers = picked.map((pick) => (pick % operations.length) + 1);
      await filterSession({
        path,
        conditions: { call: parseCallRanges(numbers.join(',')) },
        asked: {},
        withClosure: true,
        stateful: {},
        destination,
      });
      expect(await verdictsOf(path)).toMatchObject(await verdictsOf(destination));
    }),
    { numRuns: 6, endOnFailure: true },
  );
});
