import type { AdapterOrigin, RecordedMember } from '../core/adapters/contract.js';
import { type RecordedFunction, signatureOf } from './recorded-function.js';
import type { Recorder } from './recorder-core.js';

type Callable = (...args: unknown[]) => unknown;

/** Marks members that a recorder of this process wrapped, whichever copy of it did. */
const WRAPPED = Symbol.for('fir.wrapped/1');

/** Replaces one member of a library's class in place with a recording wrapper. A wrapped member is left alone. */
export function wrapMember(
  recorder: Recorder,
  owner: object,
  property: string,
  member: RecordedMember,
  origin: AdapterOrigin,
): void {
  const descriptor = Object.getOwnPropertyDescriptor(owner, property);
  const original: unknown = descriptor?.value;
  if (typeof original !== 'function' || WRAPPED in original) return;
  if (!descriptor?.configurable && !descriptor?.writable) return;
  const { version } = origin;
  const recorded: RecordedFunction = {
    name: member.functionName,
    module: origin.package,
    kind: member.kind,
    signature: signatureOf(original),
    resolve: {
      current: {
        kind: 'adapter',
        adapter: origin.adapter,
        package: origin.package,
        ...(version === undefined ? {} : { version }),
      },
    },
    roleOf: member.roleOf,
    encodeArgument: member.encodeArgument,
    isBlob: member.isBlob,
    constructs: member.constructs,
  };
  const wrapper: Callable = new Proxy(original as Callable, {
    apply: (target, self, args) => {
      const receiver =
        member.kind === 'method' && self !== null && typeof self === 'object' ? self : undefined;
      return recorder.run(recorded, receiver, args, () => Reflect.apply(target, self, args));
    },
    has: (target, key) => key === WRAPPED || Reflect.has(target, key),
  });
  Object.defineProperty(owner, property, { ...descriptor, value: wrapper });
}
