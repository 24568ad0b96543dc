import type { RecordedFunction } from './recorded-function.js';
import type { Recorder } from './recorder-core.js';
import type { Constructor } from './wrap.js';

interface Construction {
  target: Constructor;
  newTarget: NewableFunction;
}

/** Constructors that are being recorded right now, the innermost last. */
const constructions: Construction[] = [];

/** Whether a recorded constructor is run by the `super()` of one that is being recorded: it makes no object of its own. */
export function isSuperCall(target: Constructor, newTarget: NewableFunction): boolean {
  const innermost = constructions.at(-1);
  return (
    innermost?.newTarget === newTarget &&
    Object.prototype.isPrototypeOf.call(target.prototype, innermost.target.prototype)
  );
}

export function constructRecorded(
  recorder: Recorder,
  recorded: RecordedFunction,
  target: Constructor,
  args: unknown[],
  newTarget: NewableFunction,
): object {
  return recorder.run(recorded, undefined, args, () => {
    constructions.push({ target, newTarget });
    try {
      return Reflect.construct(target, args, newTarget);
    } finally {
      constructions.pop();
    }
  }) as object;
}
