import type { RecordedError } from '../core/model/call.js';
import type { ValueEncoder } from '../core/values/index.js';

/** What a call threw, in words; with its value where it was not an Error. */
export function recordedError(thrown: unknown, encoder: ValueEncoder): RecordedError {
  if (thrown instanceof Error) {
    const stack = textOf(thrown, 'stack');
    return {
      name: textOf(thrown, 'name') ?? 'Error',
      message: textOf(thrown, 'message') ?? '',
      ...(stack === undefined ? {} : { stack }),
    };
  }
  const isObject = (typeof thrown === 'object' && thrown !== null) || typeof thrown === 'function';
  // To make text of an object may run code of the program.
  const message = isObject ? `a thrown ${typeof thrown}` : String(thrown);
  return { name: typeof thrown, message, value: encoder.encode(thrown, 'error') };
}

/** A property that a class of the program's own may have made a getter, of whatever it likes. */
function textOf(error: Error, property: 'name' | 'message' | 'stack'): string | undefined {
  try {
    const text: unknown = error[property];
    return typeof text === 'string' ? text : undefined;
  } catch {
    return undefined;
  }
}
