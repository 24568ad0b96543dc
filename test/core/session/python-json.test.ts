import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inspectSession } from '../../../src/core/inspect/index.js';
import { openSession } from '../../../src/core/session/index.js';
import { writeSession } from '../../support/session-writer.js';
import { makeTempDir } from '../../support/temp-dir.js';

/** Puts arguments into the records of a session as Python's json would write them. */
function withArguments(text: string) {
  const dir = makeTempDir();
  writeSession(dir, [{ functionName: 'attention' }], { foreign: true });
  const index = join(dir, 'session.jsonl');
  writeFileSync(
    index,
    readFileSync(index, 'utf8').replaceAll('"input_metadata":{}', `"input_metadata":{${text}}`),
  );
  const session = openSession(dir);
  const [call] = session.calls;
  if (call === undefined) throw new Error('no call');
  return { session, call, record: session.readRecord(call) };
}

describe('records as Python writes them', () => {
  it('keep numbers that JSON has no text for, and text that looks like them', () => {
    const { session, record } = withArguments(
      '"kwarg_cap": Infinity, "kwarg_scale": NaN, "kwarg_bias": -Infinity, "kwarg_note": "NaN, Infinity"',
    );
    expect(record.input_metadata).toEqual({
      kwarg_cap: Number.POSITIVE_INFINITY,
      kwarg_scale: Number.NaN,
      kwarg_bias: Number.NEGATIVE_INFINITY,
      kwarg_note: 'NaN, Infinity',
    });
    expect([session.records, session.unreadableCount]).toEqual([2, 0]);
  });

  it('keep every digit of 64-bit integers', () => {
    const { record } = withArguments('"kwarg_seed": 9007199254740993, "kwarg_rand": 18446744073709551615');
    expect(record.input_metadata).toEqual({
      kwarg_seed: 9007199254740993n,
      kwarg_rand: 18446744073709551615n,
    });
  });

  it('keep every digit of an object’s id', () => {
    const dir = makeTempDir();
    const selfId = 18446744073709551615n;
    const calls = ['W.__init__', 'W.run'].map((functionName) => ({ functionName, selfId }));
    writeSession(dir, calls, { foreign: true });
    const inspected = [...inspectSession(openSession(dir)).calls];
    expect(inspected.map((call) => [call.selfId, call.generation])).toEqual([
      [selfId, 1],
      [selfId, 1],
    ]);
  });
});
