import { describe, expect, it } from 'vitest';
import { parseCallRanges, selectCalls } from '../../../src/core/select/index.js';
import { openSession } from '../../../src/core/session/index.js';

const stateful = openSession(new URL('../../fixtures/flashinfer/stateful_pt', import.meta.url).pathname);
const crashed = openSession(new URL('../../fixtures/flashinfer/crashed_pt', import.meta.url).pathname);

function namesOf(calls: readonly { functionName: string }[]): string[] {
  return [...new Set(calls.map((call) => call.functionName))];
}

describe('selectCalls', () => {
  it('takes every call where nothing is asked for', () => {
    expect(selectCalls(stateful, {})).toEqual(stateful.calls);
    expect(selectCalls(stateful, { include: [], exclude: [], pid: [], status: [] })).toHaveLength(13);
  });

  it('applies include before exclude', () => {
    const calls = selectCalls(stateful, {
      include: ['BatchDemoWrapper.*'],
      exclude: ['*.__init__', '*.plan'],
    });
    expect(namesOf(calls)).toEqual(['BatchDemoWrapper.run']);
    expect(calls).toHaveLength(6);
  });

  it('narrows an include by a function pattern', () => {
    const calls = selectCalls(stateful, { include: ['Batch*', 'drifting'], function: ['*plan', 'drift*'] });
    expect(namesOf(calls)).toEqual(['BatchDemoWrapper.plan', 'drifting']);
  });

  it('selects by number, process and status', () => {
    const numbers = selectCalls(stateful, { call: parseCallRanges('2,12-99') }).map((call) => call.number);
    expect(numbers).toEqual([2, 12, 13]);
    expect(selectCalls(crashed, { status: ['inputs_saved'] })).toHaveLength(3);
    expect(selectCalls(crashed, { pid: [19661], status: ['inputs_saved'] })).toHaveLength(1);
    expect(selectCalls(crashed, { pid: [1] })).toEqual([]);
  });
});
