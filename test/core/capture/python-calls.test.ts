import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { pythonCallsOf, summarisePython } from '../../../src/core/capture/python-calls.js';
import type { PythonSummary } from '../../../src/core/capture/types.js';
import { openSession } from '../../../src/core/session/index.js';

/** A recorded session as a capture that has just ended would sum it up. */
function summaryOf(
  name: string,
  env: NodeJS.ProcessEnv = {},
  isOld: (dump: string) => boolean = () => false,
): PythonSummary {
  const session = openSession(fileURLToPath(new URL(`../../fixtures/flashinfer/${name}`, import.meta.url)));
  const names = new Set(session.calls.map(({ dump }) => dump.split('/', 1)[0] ?? '').filter(isOld));
  const calls = pythonCallsOf(session, { names, made: undefined }, new Set());
  return summarisePython(session, calls, env);
}

describe('what FlashInfer recorded', () => {
  it('is counted by process', () => {
    const { calls, processes } = summaryOf('multiprocess_pt');
    expect(calls).toBe(18);
    expect(processes.map((process) => process.calls)).toEqual([9, 9]);
    expect(new Set(processes.map(({ pid }) => pid)).size).toBe(2);
  });

  it('leaves out what was there before', () => {
    const { calls } = summaryOf('multiprocess_pt', {}, (dump) => dump.includes('Wrapper'));
    expect(calls).toBeGreaterThan(0);
    expect(calls).toBeLessThan(18);
    expect(summaryOf('multiprocess_pt', {}, () => true)).toMatchObject({ calls: 0, processes: [] });
  });

  it('names the functions that never finished', () => {
    expect(summaryOf('crashed_pt').unfinished.sort()).toEqual(['BatchDemoWrapper.run', 'fail', 'hang']);
  });

  it('counts dumps without a record apart, and does not take their numbers for missing', () => {
    const { withoutRecord, processes } = summaryOf('nested_pt');
    expect(withoutRecord).toBe(1);
    expect(processes[0]).toMatchObject({ missing: 0, reachedCount: false, reachedSize: false });
  });

  it('holds a call in a CUDA graph against the limit once, however often its graph ran', () => {
    const { calls, processes } = summaryOf('graph_flush', { FLASHINFER_DUMP_MAX_COUNT: '6' });
    expect(calls).toBeGreaterThan(6);
    expect(processes.some((process) => process.reachedCount)).toBe(false);
  });

  it('reached a limit of calls or of bytes in the process in which it did', () => {
    const { processes } = summaryOf('multiprocess_pt', { FLASHINFER_DUMP_MAX_COUNT: '9' });
    expect(processes.map((process) => process.reachedCount)).toEqual([true, true]);
    const size = summaryOf('multiprocess_pt', { FLASHINFER_DUMP_MAX_SIZE_GB: '0.00000001' });
    expect(size.processes.map((process) => process.reachedSize)).toEqual([true, true]);
  });
});
