// Programs by chance: objects that come again under one id, calls inside calls, memory that is shared, several
// processes, and calls of which nobody knows what they ran inside.
import fc from 'fast-check';
import type { TestCall } from './plan-source.js';

const CLASSES = ['Full', 'Latest', 'Free'];

const operation = fc.record({
  kind: fc.constantFrom('make', 'factory', 'method', 'method', 'plan', 'function'),
  object: fc.nat(4),
  argument: fc.option(fc.nat(4), { nil: undefined }),
  storage: fc.option(fc.nat(2), { nil: undefined }),
  process: fc.constantFrom('p', 'p', 'q'),
  status: fc.constantFrom<TestCall['status'] & string>('completed', 'completed', 'completed', 'failed'),
  /** How many of the calls that are open are ended before it. */
  ends: fc.nat(3),
  isUnknown: fc.integer({ min: 0, max: 9 }),
});

interface Open {
  index: number;
  call: TestCall;
}

/** Calls in the order of their starts. */
export const generatedCalls = fc.array(operation, { minLength: 1, maxLength: 30 }).map((operations) => {
  const open = new Map<string, Open[]>();
  const calls: TestCall[] = [];
  for (const { kind, object, argument, storage, process, status, ends, isUnknown } of operations) {
    const own = open.get(process) ?? [];
    open.set(process, own);
    const now = calls.length * 10;
    for (let count = 0; count < ends; count++) {
      const ended = own.pop();
      if (ended !== undefined) ended.call.time = [ended.index * 10, now - 1];
    }
    const parent = own.at(-1)?.index;
    const name = CLASSES[object % CLASSES.length] ?? 'Full';
    const args = argument === undefined ? [] : [`${CLASSES[argument % CLASSES.length]}#${argument}`];
    const call: TestCall = {
      process,
      args,
      time: [now, 1e6],
      ...(parent === undefined ? {} : { parent: isUnknown === 0 ? 'unknown' : parent }),
      ...(storage === undefined || kind === 'make' ? {} : { changes: [storage] }),
      ...member(kind, name, object, storage, status),
    };
    own.push({ index: calls.length, call });
    calls.push(call);
  }
  for (const own of open.values()) {
    for (const { index, call } of own) call.time = [index * 10, calls.length * 10];
  }
  return calls;
});

function member(
  kind: string,
  name: string,
  object: number,
  storage: number | undefined,
  status: TestCall['status'] & string,
): Pick<TestCall, 'name' | 'self' | 'makes' | 'result' | 'keeps' | 'status'> {
  if (kind === 'make')
    return {
      name: `${name}.__init__`,
      makes: object,
      ...(storage === undefined ? {} : { keeps: [storage] }),
    };
  // It gives back whatever object of that id was made inside.
  if (kind === 'factory') return { name: 'make', result: [`${name}#${object}`] };
  if (kind === 'function') return { name: 'f', status };
  return { name: `${name}.${kind === 'plan' ? 'plan' : 'run'}`, self: object, status };
}
