import { nodeUnderTest, repository, runFir } from '../support/fir.js';
import { dumpsIn, takenBy } from '../support/session-size.js';
import { type CapturedCall, readCaptured } from './captured.js';

/**
 * The most that a session took while something was going on, looked at again and again. A listing shows a call that goes
 * and the one that takes its place: dumps in one listing and in the next were there together, between the two.
 */
export async function watch<T>(
  session: string,
  work: Promise<T>,
): Promise<{ result: T; calls: number; bytes: number }> {
  const most = { calls: 0, bytes: 0 };
  let isDone = false;
  const done = work.finally(() => {
    isDone = true;
  });
  let before = dumpsIn(session);
  while (!isDone) {
    most.bytes = Math.max(most.bytes, takenBy(session).bytes);
    const now = dumpsIn(session);
    most.calls = Math.max(most.calls, [...now].filter((name) => before.has(name)).length);
    before = now;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  return { result: await done, ...most };
}

/**
 * What is wrong with a session of `rotate-calls.mjs`: calls without the state that their results tell of, calls inside of
 * ones that are not there, unreadable records. Reads every tensor.
 */
export function faultsIn(session: string): string[] {
  const { calls, unreadable } = readCaptured(session);
  const faults = unreadable === 0 ? [] : [`${unreadable} unreadable`];
  const totals = new Map<string, number[]>();
  const known = new Set(calls.map(({ processUid, fir }) => `${processUid} ${fir.sequence}`));
  for (const call of calls) {
    const { name, status, processUid, fir, record, inputs, outputs } = call;
    const told = `${name} ${fir.sequence} of ${processUid}`;
    if (typeof fir.parent === 'number' && !known.has(`${processUid} ${fir.parent}`)) {
      faults.push(`${told} ran inside a call that is not there`);
    }
    const isRefused = fir.dropped !== undefined || fir.not_replayable !== undefined;
    if (status !== 'completed' || isRefused) continue;
    const self = `${processUid} ${name === 'copyOf' ? objectOf(call) : record.self_id}`;
    if (name === 'Sum.__init__') totals.set(self, [0, 0, 0, 0]);
    if (name !== 'Sum.add' && name !== 'copyOf') continue;
    const before = totals.get(self);
    if (before === undefined) faults.push(`${told} has no constructor`);
    const added = name === 'copyOf' ? [] : (inputs['arg_0'] ?? []);
    const total = (before ?? []).map((sum, index) => sum + (added[index] ?? 0));
    totals.set(self, total);
    if (String(total) !== String(outputs['result'])) faults.push(`${told} has not all of its state`);
  }
  return faults;
}

function objectOf({ record }: CapturedCall): unknown {
  const object = record.input_metadata['arg_0'];
  return typeof object === 'object' && object !== null && 'self_id' in object ? object['self_id'] : undefined;
}

/** The last line of a replay of the programs' own functions, which says how all calls went. */
export async function replaySummary(session: string): Promise<string> {
  const flags = ['--app', repository, '--allow', '*', '--device', 'cpu'];
  const { stdout } = await runFir(['replay', session, ...flags], { node: nodeUnderTest });
  return stdout.trimEnd().split('\n').at(-1) ?? '';
}
