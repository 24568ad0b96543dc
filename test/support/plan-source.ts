// What a plan is made of, from calls as tests write them down.
import type { StateRule } from '../../src/core/adapters/contract.js';
import type { CallFacts, ObjectName, PlanCall, PlanSource } from '../../src/core/plan/types.js';

export const RULES: Record<string, StateRule> = {
  Full: 'full',
  Latest: { latest: ['plan'] },
  Free: 'stateless',
};

/** A call of the tests: its object, those in its arguments and its result, and the call around it, by index. */
export interface TestCall {
  name: string;
  process?: string;
  self?: number;
  makes?: number;
  args?: string[];
  result?: string[];
  parent?: number | 'unknown';
  /** Storages that a constructor was given, and those that the call changed. */
  keeps?: number[];
  changes?: number[];
  status?: PlanCall['status'];
  /** When it began and ended; calls without one take no time. */
  time?: [begin: number, end: number];
}

/**
 * The calls as a source of plans. `kept`: only those, by index, as in a session that was cut down; `isRunnable`: which
 * of all calls, by index, could run.
 */
export function sourceOf(
  calls: readonly TestCall[],
  kept: readonly number[] = [...calls.keys()],
  isRunnable: (index: number) => boolean = () => true,
): PlanSource {
  const sequences = new Map<string, number>();
  const own = calls.map((call) => {
    const process = call.process ?? 'p';
    sequences.set(process, (sequences.get(process) ?? 0) + 1);
    return sequences.get(process) ?? 0;
  });
  return {
    calls: kept.map((index, place) => planCall(calls[index], place + 1, own, index)),
    factsOf: (number): CallFacts => {
      const call = calls[kept[number - 1] ?? -1];
      return {
        argumentObjects: (call?.args ?? []).map(nameFrom),
        resultObjects: (call?.result ?? []).map(nameFrom),
        keptStorages: call?.keeps ?? [],
        changedStorages: call?.changes ?? [],
        adapter: undefined,
        startedUs: call?.time?.[0] ?? 0,
        endedUs: call?.time?.[1] ?? 0,
      };
    },
    isRunnable: (number) => isRunnable(kept[number - 1] ?? -1),
    languageOf: ({ functionName }) => (functionName.startsWith('py_') ? 'python' : 'javascript'),
    ruleOf: (className) => RULES[className] ?? 'full',
  };
}

function planCall(
  call: TestCall | undefined,
  number: number,
  sequences: readonly number[],
  index: number,
): PlanCall {
  if (call === undefined) throw new RangeError(`no call ${index}`);
  const selfId = call.makes ?? call.self;
  return {
    number,
    processUid: call.process ?? 'p',
    sequence: sequences[index] ?? 0,
    functionName: call.name,
    status: call.status ?? 'completed',
    kind: call.makes !== undefined ? 'constructor' : call.self !== undefined ? 'method' : 'function',
    selfId,
    selfClass: selfId === undefined ? undefined : call.name.split('.')[0],
    constructs: call.makes !== undefined,
    recorder: 'fir',
    parent: typeof call.parent === 'number' ? (sequences[call.parent] ?? null) : (call.parent ?? null),
  };
}

/** `Full#3`. */
function nameFrom(text: string): ObjectName {
  const [className = '', selfId = ''] = text.split('#');
  return { className, selfId };
}
